// `bench`: how long a training step and a prediction take, on made-up images, so that no data is needed.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "cnn/core/instructions.hpp"
#include "cnn/core/sgemm.hpp"
#include "cnn/training/initialize.hpp"
#include "cnn/training/optimizer.hpp"
#include "bench_orders.hpp"
#include "commands.hpp"
#include "machine.hpp"
#include "synthetic.hpp"
#include "text.hpp"

namespace cnn::program {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Timing {
  std::string name;
  double least = 0, median = 0, most = 0;  // milliseconds a step
};

template <class Work>
Timing measure(std::string name, int steps, Work&& work) {
  constexpr int kWarmUp = 3;  // pages are touched, caches filled, the team started
  for (int i = 0; i < kWarmUp; ++i) work(i);
  std::vector<double> times;
  for (int i = 0; i < steps; ++i) {
    const Clock::time_point begin = Clock::now();
    work(kWarmUp + i);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  return {std::move(name), times.front(), times[times.size() / 2], times.back()};
}

std::vector<Timing> timings(const BenchOptions& options, const ModelDescription& model, MakeNetwork make) {
  const std::unique_ptr<Network> network = make(options.threads);
  initialize(*network, model.training.seed);
  const Synthetic data(model, options.batch);
  std::vector<Timing> timings;
  if (!model.training.phases.empty()) {
    Optimizer optimizer(model, network->optimizer_state());
    for (std::size_t phase = 0; phase < model.training.phases.size(); ++phase) {
      optimizer.begin_phase(static_cast<int>(phase));
      timings.push_back(measure(
          fmt::format("train_step {}", model.training.phases[phase].name), options.steps, [&](int step) {
            network->train_step(static_cast<int>(phase), data.images, data.labels,
                                {model.training.seed, static_cast<std::uint64_t>(step)}, optimizer);
          }));
    }
  }
  timings.push_back(
      measure("predict", options.steps, [&](int) { network->predict(data.images, options.batch); }));
  return timings;
}

}  // namespace

int bench(const BenchOptions& options, const ModelDescription& model, MakeNetwork make) {
  if (options.orders) return answer_orders(options, model, make);
  const std::vector<Timing> measured = timings(options, model, make);
  const auto rate = [&](const Timing& timing) { return options.batch / timing.median * 1000; };
  if (options.json) {
    Json json = {{"model", model.name},        {"batch", options.batch},
                 {"threads", options.threads}, {"steps", options.steps},
                 {"cpu", cpu_name()},          {"instruction_set", instruction_set()},
                 {"blas", blas_description()}, {"timings", Json::array()}};
    for (const Timing& timing : measured)
      json["timings"].push_back({{"name", timing.name},
                                 {"milliseconds", timing.median},
                                 {"least", timing.least},
                                 {"most", timing.most},
                                 {"images_per_second", rate(timing)}});
    fmt::print("{}\n", json.dump(2));
    return 0;
  }
  fmt::print("{}: batch {}, {} threads, median of {} (least to most)\n", model.name, options.batch,
             options.threads, options.steps);
  for (const Timing& timing : measured)
    fmt::print("  {:<24} {:>10.3f} ms ({:.3f} to {:.3f})  {:>12} images/s\n", timing.name, timing.median,
               timing.least, timing.most, with_commas(static_cast<std::int64_t>(rate(timing))));
  return 0;
}

}  // namespace cnn::program
