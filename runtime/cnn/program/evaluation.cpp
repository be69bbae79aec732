// A pass over a part of the data as at prediction time.
#include "evaluation.hpp"

#include "cnn/data/loader.hpp"
#include "interrupt.hpp"

namespace cnn::program {

std::optional<Evaluation> evaluate_part(Network& network, const Dataset& data, Part part, int batch) {
  Tally tally;
  Loader loader(data, part, batch);
  while (const Batch* images = loader.next()) {
    network.evaluate(images->images, images->labels);
    tally.add(network.losses(), network.scores(), images->labels, network.description().outputs);
    if (InterruptWatch::signal() != 0) return std::nullopt;
  }
  return Evaluation{tally.mean_loss(), tally.accuracy(), tally.top5()};
}

}  // namespace cnn::program
