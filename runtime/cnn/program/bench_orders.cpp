#include "bench_orders.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "cnn/training/initialize.hpp"
#include "cnn/training/optimizer.hpp"
#include "machine.hpp"
#include "peak.hpp"
#include "synthetic.hpp"
#include "weights_file.hpp"

namespace cnn::program {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

class Answers {
 public:
  Answers(const BenchOptions& options, const ModelDescription& model, MakeNetwork make)
      : options_(options), model_(model), bare_(memory_peak()), bare_files_(memory_of_files()), network_(make(options.threads)),
        data_(model, options.batch) {
    initialize(*network_, model.training.seed);
  }

  Json answer(const std::string& order) {
    std::istringstream words(order);
    std::string word;
    words >> word;
    if (word == "train" || word == "predict") return timed(word == "train", words);
    if (word == "only_predict") {
      network_->only_predict();
      return {{"only_predicts", true}};
    }
    if (word == "peak") return {{"gflops", peak_gflops(options_.threads)}};
    if (word == "memory") {
      return {{"peak", memory_peak()}, {"resident", memory_resident()}, {"bare", bare_}, {"code", memory_of_files() - bare_files_}};
    }
    if (word == "save") return save(words);
    throw std::invalid_argument(fmt::format("unknown order '{}'", word));
  }

 private:
  Json timed(bool train, std::istream& words) {
    int runs = 0, images = 0;
    if (!(words >> runs >> images) || runs < 1 || images < 1 || images > options_.batch)
      throw std::invalid_argument(
          fmt::format("an order to run is: train|predict RUNS IMAGES, with at most {} images", options_.batch));
    if (train && model_.training.phases.empty())
      throw std::invalid_argument(fmt::format("{} has no training", model_.name));
    if (train && !optimizer_) optimizer_.emplace(*network_);
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < runs; ++i) {
      if (train) {
        network_->train_step(0, data_.images_of(images), data_.labels_of(images), {model_.training.seed, steps_++},
                             *optimizer_);
      } else {
        network_->predict(data_.images_of(images), images);
      }
    }
    return {{"seconds", std::chrono::duration<double>(Clock::now() - begin).count()}};
  }

  Json save(std::istream& words) {
    std::string file;
    std::getline(words >> std::ws, file);
    if (file.empty()) throw std::invalid_argument("an order to save is: save FILE");
    save_weights(file, *network_, model_.training.seed, 0, {});
    return {{"saved", file}};
  }

  const BenchOptions& options_;
  const ModelDescription& model_;
  std::int64_t bare_, bare_files_;
  std::unique_ptr<Network> network_;
  Synthetic data_;
  std::optional<Optimizer> optimizer_;
  std::uint64_t steps_ = 0;
};

void say(const Json& answer) {
  std::cout << answer.dump() << std::endl;  // flushed: somebody waits for it
}

}  // namespace

int answer_orders(const BenchOptions& options, const ModelDescription& model, MakeNetwork make) {
  Answers answers(options, model, make);
  say({{"ready", model.name}, {"batch", options.batch}, {"threads", options.threads}});
  for (std::string order; std::getline(std::cin, order) && order != "quit";) {
    try {
      say(answers.answer(order));
    } catch (const std::exception& error) {
      say({{"error", error.what()}});
    }
  }
  return 0;
}

}  // namespace cnn::program
