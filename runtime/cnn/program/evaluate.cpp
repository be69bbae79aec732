// `eval`: loss and metrics of saved weights over a part of the data.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "data_place.hpp"
#include "errors.hpp"
#include "evaluation.hpp"
#include "text.hpp"
#include "weights_file.hpp"

namespace cnn::program {
namespace {

Part chosen_part(const std::optional<Part>& asked, const Dataset& data, const ModelDescription& model) {
  if (!asked)
    return data.size(Part::kTest) > 0         ? Part::kTest
           : data.size(Part::kValidation) > 0 ? Part::kValidation
                                              : Part::kTrain;
  if (data.size(*asked) == 0)
    throw UserError(fmt::format("{} has no {} part", model.data.name, part_name(*asked)));
  return *asked;
}

/// Weights that were trained with other classes would be measured against the wrong labels.
void require_classes(const std::filesystem::path& weights, const LoadedWeights& loaded, const Dataset& data) {
  if (data.class_names().empty() || data.class_names() == loaded.class_names) return;
  throw UserError(fmt::format(
      "{}: the classes when these weights were trained are not those of the data\n  file: {}\n  data: {}",
      weights.string(), fmt::join(loaded.class_names, ", "), fmt::join(data.class_names(), ", ")));
}

}  // namespace

int evaluate(const EvaluateOptions& options, const ModelDescription& model, MakeNetwork make) {
  if (model.training.loss == LossKind::kNone)
    throw UserError(fmt::format("{} can't be evaluated: {} has no 'train' for it, so no loss and no data",
                                model.name, model.spec));
  const std::filesystem::path weights = find_weights(options.weights, options.out, model);
  const std::unique_ptr<Network> network = make(options.threads);
  const LoadedWeights loaded = load_weights(weights, *network, options.match);
  for (const std::string& note : loaded.notes) fmt::print(stderr, "note: {}\n", note);
  if (!options.json)
    for (const std::string& pair : loaded.pairs) fmt::print("{}\n", pair);
  // The parts must be cut as they were in training, or images that were trained on would be among those
  // evaluated.
  const Dataset data =
      load_data(options.place, model, loaded.seed.value_or(model.training.seed), options.threads);
  require_classes(weights, loaded, data);
  const Part part = chosen_part(options.part, data, model);
  const Evaluation result = *evaluate_part(*network, data, part, options.batch);
  const auto& metrics = model.training.metrics;
  const bool top5 = std::find(metrics.begin(), metrics.end(), "top5") != metrics.end();
  if (options.json) {
    nlohmann::ordered_json json = {{"model", model.name},     {"weights", weights.string()},
                                   {"part", part_name(part)}, {"images", data.size(part)},
                                   {"loss", result.loss},     {"accuracy", result.accuracy}};
    if (top5) json["top5"] = result.top5;
    fmt::print("{}\n", json.dump(2));
    return 0;
  }
  fmt::print("{} with {}\n{} part, {} images: loss {:.4f}, accuracy {}{}\n", model.name, weights.string(),
             part_name(part), with_commas(data.size(part)), result.loss, percent_text(result.accuracy),
             top5 ? ", top-5 " + percent_text(result.top5) : "");
  return 0;
}

}  // namespace cnn::program
