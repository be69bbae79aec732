// `profile`: which line of the spec costs what, on made-up images, so that no data is needed.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "cnn/training/initialize.hpp"
#include "cnn/training/optimizer.hpp"
#include "commands.hpp"
#include "peak.hpp"
#include "synthetic.hpp"
#include "text.hpp"

namespace cnn::program {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// What one step spends on something.
struct Cost {
  double seconds = 0, operations = 0, bytes = 0;

  void add(const Cost& other) {
    seconds += other.seconds;
    operations += other.operations;
    bytes += other.bytes;
  }
  double gflops() const { return seconds > 0 ? operations / seconds / 1e9 : 0; }
};

/// A line of the spec with all the layers that come from it, or a layer by itself.
struct Row {
  std::string line, text;
  std::vector<std::string> layers;
  Cost forward, backward;

  double seconds() const { return forward.seconds + backward.seconds; }
};

struct Measured {
  std::string work;      // "training step of phase main"
  double seconds = 0;    // of a step, by a clock around all of them
  std::vector<Row> rows;
  double input = 0, output = 0, update = 0;  // seconds of a step beside the layers
};

Cost cost(double seconds, const Work& work, int batch) {
  return {seconds, 2.0 * batch * static_cast<double>(work.macs),
          static_cast<double>(batch * work.image_bytes + work.parameter_bytes)};
}

/// `steps` runs of `work(i)` after one that warms up; the seconds of one.
template <class Run>
double watch(Network& network, Profile& profile, int steps, Run&& run) {
  run(0);
  network.set_profile(&profile);
  const Clock::time_point begin = Clock::now();
  for (int i = 1; i <= steps; ++i) run(i);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  network.set_profile(nullptr);
  return seconds / steps;
}

std::vector<Row> rows_of(const ProfileOptions& options, const ModelDescription& model, const Profile& profile,
                         std::span<const LayerWork> work) {
  std::vector<Row> rows;
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const LayerDescription& layer = model.layers[i];
    const LayerWork known = i < work.size() ? work[i] : LayerWork{};
    const auto [place, first] = places.try_emplace(options.layers ? layer.path : layer.line, rows.size());
    if (first) rows.push_back({.line = std::string(layer.line), .text = std::string(layer.text), .layers = {}, .forward = {}, .backward = {}});
    Row& row = rows[place->second];
    row.layers.emplace_back(layer.path);
    row.forward.add(cost(profile.forward_seconds(i) / options.steps, known.forward, options.batch));
    row.backward.add(cost(profile.backward_seconds(i) / options.steps, known.backward, options.batch));
  }
  return rows;
}

Measured measure(const ProfileOptions& options, const ModelDescription& model, MakeNetwork make) {
  const std::unique_ptr<Network> network = make(options.threads);
  initialize(*network, model.training.seed);
  const Synthetic data(model, options.batch);
  Profile profile(model.layers.size());
  Measured measured;
  if (options.phase) {
    const auto phase = static_cast<std::size_t>(*options.phase);
    Optimizer optimizer(model, network->optimizer_state());
    for (int i = 0; i <= *options.phase; ++i) optimizer.begin_phase(i);
    measured.work = fmt::format("training step of phase {}", model.training.phases[phase].name);
    measured.seconds = watch(*network, profile, options.steps, [&](int step) {
      network->train_step(*options.phase, data.images, data.labels,
                          {model.training.seed, static_cast<std::uint64_t>(step)}, optimizer);
    });
    measured.rows = rows_of(options, model, profile, model.training.phases[phase].work);
  } else {
    measured.work = "prediction";
    measured.seconds = watch(*network, profile, options.steps, [&](int) { network->predict(data.images, options.batch); });
    measured.rows = rows_of(options, model, profile, model.predict_work);
  }
  measured.input = profile.frame_seconds(Frame::kInput) / options.steps;
  measured.output = profile.frame_seconds(Frame::kOutput) / options.steps;
  measured.update = profile.frame_seconds(Frame::kUpdate) / options.steps;
  return measured;
}

/// What lies beside the layers: each part's name and its seconds.
std::vector<std::pair<std::string, double>> rest(const ProfileOptions& options, const Measured& measured) {
  std::vector<std::pair<std::string, double>> parts{{"images in", measured.input},
                                                    {options.phase ? "scores and loss" : "scores", measured.output}};
  if (options.phase) parts.emplace_back("optimizer", measured.update);
  return parts;
}

Json cost_json(const Cost& cost) {
  return {{"milliseconds", 1000 * cost.seconds},
          {"gflops", cost.gflops()},
          {"operations", cost.operations},
          {"bytes", cost.bytes}};
}

void print_json(const ProfileOptions& options, const ModelDescription& model, const Measured& measured, double peak) {
  Json json = {{"model", model.name},       {"work", measured.work},
               {"batch", options.batch},    {"threads", options.threads},
               {"steps", options.steps},    {"milliseconds", 1000 * measured.seconds},
               {"peak_gflops", peak},       {options.layers ? "layers" : "lines", Json::array()}};
  Json& list = json[options.layers ? "layers" : "lines"];
  for (const Row& row : measured.rows) {
    Json one = {{"line", row.line}, {"text", row.text}, {"layers", row.layers}, {"forward", cost_json(row.forward)}};
    if (options.phase) one["backward"] = cost_json(row.backward);
    one["share"] = row.seconds() / measured.seconds;
    list.push_back(std::move(one));
  }
  json["rest"] = Json::array();
  for (const auto& [name, seconds] : rest(options, measured))
    json["rest"].push_back({{"name", name}, {"milliseconds", 1000 * seconds}, {"share", seconds / measured.seconds}});
  fmt::print("{}\n", json.dump(2));
}

std::string cost_text(const Cost& cost) {
  constexpr double kMebi = 1 << 20;
  if (cost.seconds == 0 && cost.bytes == 0) return fmt::format("{:>10} {:>8} {:>9}", "-", "-", "-");
  const std::string rate = cost.operations == 0 ? "-" : fmt::format("{:.1f}", cost.gflops());
  return fmt::format("{:>10.3f} {:>8} {:>9.2f}", 1000 * cost.seconds, rate, cost.bytes / kMebi);
}

std::string title(const Row& row, bool layers) {
  constexpr std::size_t kMost = 48;
  std::string text = layers ? row.layers.front() : row.text;
  if (!layers && row.layers.size() > 1) text = fmt::format("{} x {}", row.layers.size(), text);
  if (text.size() > kMost) text = text.substr(0, kMost - 3) + "...";
  return text;
}

void print_table(const ProfileOptions& options, const ModelDescription& model, const Measured& measured, double peak) {
  std::size_t line = 4, text = 5;
  Cost forward, backward;
  for (const Row& row : measured.rows) {
    line = std::max(line, row.line.size());
    text = std::max(text, title(row, options.layers).size());
    forward.add(row.forward);
    backward.add(row.backward);
  }
  fmt::print("{}, {}: batch {}, {} threads, mean of {} steps\n", model.name, measured.work, options.batch, options.threads,
             options.steps);
  const std::string head = fmt::format("{:>10} {:>8} {:>9}", "ms", "GFLOP/s", "MiB");
  const auto both = [&](const std::string& left, const std::string& right) {
    return options.phase ? left + "  " + right : left;
  };
  fmt::print("  {:{}}  {:{}}  {}\n", "", line, "", text, both(fmt::format("{:>29}", "forward"), fmt::format("{:>29}", "backward")));
  fmt::print("  {:<{}}  {:<{}}  {}  {:>7}\n", "line", line, options.layers ? "layer" : "text", text, both(head, head), "share");
  const auto print_row = [&](std::string_view place, std::string_view what, const std::string& figures, double seconds) {
    fmt::print("  {:<{}}  {:<{}}  {}  {:>5.1f} %\n", place, line, what, text, figures, 100 * seconds / measured.seconds);
  };
  for (const Row& row : measured.rows)
    print_row(row.line, title(row, options.layers), both(cost_text(row.forward), cost_text(row.backward)), row.seconds());
  const std::string nothing = fmt::format("{:29}", "");
  for (const auto& [name, seconds] : rest(options, measured))
    print_row("", name, both(fmt::format("{:>10.3f} {:>18}", 1000 * seconds, ""), nothing), seconds);
  print_row("", "all lines", both(cost_text(forward), cost_text(backward)), forward.seconds + backward.seconds);
  const double operations = forward.operations + backward.operations;
  fmt::print("\n  {:.3f} ms a step, {:.1f} GFLOP/s; multiply-adds alone reach {:.0f} GFLOP/s here\n",
             1000 * measured.seconds, operations / measured.seconds / 1e9, peak);
  fmt::print("  A line with \"-\" has no call of its own: another one does its work on the way, or nobody needs it.\n");
}

}  // namespace

int profile(const ProfileOptions& options, const ModelDescription& model, MakeNetwork make) {
  const Measured measured = measure(options, model, make);
  const double peak = peak_gflops(options.threads);
  if (options.json) {
    print_json(options, model, measured, peak);
  } else {
    print_table(options, model, measured, peak);
  }
  return 0;
}

}  // namespace cnn::program
