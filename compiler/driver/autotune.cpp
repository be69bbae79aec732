// Variants of a program, each with one of the algorithms in every pass that has several; their profiles, and what is best.
#include "driver/autotune.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "driver/build_cache.hpp"
#include "driver/process.hpp"
#include "driver/tuning_file.hpp"
#include "support/files.hpp"

namespace cnnc::driver {

namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 3;
constexpr double kMargin = 0.98;  // what is nearly as fast stays as the cost model has it

using Key = std::pair<std::string, plan::Work>;

// The passes of layers that have several algorithms, in the order of the plan.
struct Pass {
  Key key;
  std::vector<std::string_view> algorithms;
  std::string by_cost_model;
  std::map<std::string, std::vector<double>, std::less<>> milliseconds = {};  // by algorithm, one a round
};

// What profile is asked for: a phase's step, or predictions.
struct Run {
  std::vector<std::string> options;
  std::set<Key> keys;  // the passes that are measured there
};

std::vector<Pass> passes_of(const plan::Plan& plan) {
  std::vector<Pass> passes;
  std::set<Key> known;
  for (std::size_t layer = 0; layer < plan.layers.size(); ++layer) {
    for (const plan::Function& function : plan.functions) {
      for (const plan::Step& step : function.steps) {
        if (!step.choice || step.layer->index != static_cast<int>(layer)) continue;
        const Key key{plan.layers[layer].path, step.choice->work};
        const auto open = step.choice->open();
        if (open.size() > 1 && known.insert(key).second) passes.push_back({key, open, std::string(step.choice->by_cost_model)});
      }
    }
  }
  return passes;
}

std::set<Key> keys_of(const plan::Plan& plan, const plan::Function& function) {
  std::set<Key> keys;
  for (const plan::Step& step : function.steps) {
    if (step.choice && step.choice->open().size() > 1) keys.insert({plan.layers[static_cast<std::size_t>(step.layer->index)].path, step.choice->work});
  }
  return keys;
}

// As few runs as cover all passes; phases in which most learns come first.
std::vector<Run> runs_of(const plan::Plan& plan) {
  std::vector<const plan::Function*> functions;
  for (const plan::Function& function : plan.functions) {
    if (function.kind != plan::FunctionKind::kEvaluate) functions.push_back(&function);
  }
  const auto learning = [&](const plan::Function* function) {
    return function->phase < 0 ? -1 : plan.trainable_count(static_cast<std::size_t>(function->phase));
  };
  std::ranges::stable_sort(functions, std::ranges::greater(), learning);
  std::vector<Run> runs;
  std::set<Key> covered;
  for (const plan::Function* function : functions) {
    Run run;
    for (const Key& key : keys_of(plan, *function)) {
      if (covered.insert(key).second) run.keys.insert(key);
    }
    if (run.keys.empty()) continue;
    if (function->kind == plan::FunctionKind::kPredict) run.options = {"--predict"};
    else run.options = {"--phase", plan.phases[static_cast<std::size_t>(function->phase)].phase.name};
    runs.push_back(std::move(run));
  }
  return runs;
}

std::string row_name(const Key& key) {
  return fmt::format("{} {}", key.first, plan::to_text(key.second));
}

// A profile tells layers apart, but not their passes: each pass that is measured becomes a layer of its own.
void set_passes_apart(plan::Plan& plan) {
  std::map<Key, int> rows;
  for (plan::Function& function : plan.functions) {
    for (plan::Step& step : function.steps) {
      if (!step.choice || step.choice->open().size() < 2) continue;
      const plan::LayerRow& layer = plan.layers[static_cast<std::size_t>(step.layer->index)];
      const Key key{layer.path, step.choice->work};
      const auto [row, added] = rows.try_emplace(key, static_cast<int>(plan.layers.size()));
      if (added) {
        plan::LayerRow apart{.path = row_name(key), .type = layer.type, .activation = {}, .output = layer.output, .line = layer.line, .frozen_in = {}};
        plan.layers.push_back(std::move(apart));
      }
      step.layer = ir::LayerId{row->second};
    }
  }
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// A folder for what programs print.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "cnnc-autotune-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(fmt::format("no folder can be made in '{}'", fs::temp_directory_path().string()));
    path_ = name;
  }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class Tuner {
 public:
  Tuner(const CommandLine& line, const Compiled& compiled, const Sources& sources)
      : line_(line), compiled_(compiled), sources_(sources), passes_(passes_of(compiled.plan)), runs_(runs_of(compiled.plan)),
        threads_(line.threads > 0 ? line.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))) {}

  void measure() {
    if (passes_.empty()) return;
    for (const Pass& pass : passes_) variants_ = std::max(variants_, pass.algorithms.size());
    const Toolchain toolchain = find_toolchain();
    for (std::size_t variant = 0; variant < variants_; ++variant) {
      fmt::print(stderr, "builds program {} of {}\n", variant + 1, variants_);
      programs_.push_back(build(variant, toolchain));
    }
    for (int round = 0; round < kRounds; ++round) {
      fmt::print(stderr, "round {} of {}: {} step{} of each\n", round + 1, kRounds, line_.steps, line_.steps == 1 ? "" : "s");
      for (const Run& run : runs_) {
        // By turns, and the other way round in every other round: what slows the machine down slows all.
        for (std::size_t i = 0; i < variants_; ++i) profile(run, round % 2 == 0 ? i : variants_ - 1 - i);
      }
    }
  }

  TuningText result() const {
    TuningText tuning{.model = compiled_.plan.model,
                      .batch = compiled_.plan.batch,
                      .threads = threads_,
                      .steps = kRounds * line_.steps,
                      .cpu = processor(),
                      .rows = {}};
    for (const Pass& pass : passes_) tuning.rows.push_back(row_of(pass));
    return tuning;
  }

 private:
  std::string_view algorithm(const Pass& pass, std::size_t variant) const { return pass.algorithms[variant % pass.algorithms.size()]; }

  fs::path build(std::size_t variant, const Toolchain& toolchain) const {
    plan::Tuning tuning;
    for (const Pass& pass : passes_) tuning[pass.key] = {.algorithm = std::string(algorithm(pass, variant))};
    Compiled program = with_tuning(compiled_, tuning, line_.compile, sources_);
    set_passes_apart(program.plan);
    return cached_program(program.program.name, emit::emit(program.plan, program.origin), toolchain);
  }

  void profile(const Run& run, std::size_t variant) {
    std::vector<std::string> command{programs_[variant].string(), "profile", "--layers", "--json", "--steps", std::to_string(line_.steps),
                                     "--threads", std::to_string(threads_)};
    command.insert(command.end(), run.options.begin(), run.options.end());
    const fs::path log = folder_.path() / "profile.json";
    const int code = run_and_wait(command, log);
    const ReadResult said = read_text(log);
    const auto json = nlohmann::json::parse(said.text, nullptr, false);
    if (code != 0 || json.is_discarded()) {
      throw std::runtime_error(fmt::format("a program that should be measured ended with code {}:\n{}", code, said.text.substr(0, 2000)));
    }
    std::map<std::string, double> milliseconds;
    for (const auto& row : json.at("layers")) {
      double sum = row.at("forward").at("milliseconds").get<double>();
      if (row.contains("backward")) sum += row.at("backward").at("milliseconds").get<double>();
      milliseconds[row.at("layers").at(0).get<std::string>()] = sum;
    }
    for (Pass& pass : passes_) {
      if (!run.keys.contains(pass.key)) continue;
      pass.milliseconds[std::string(algorithm(pass, variant))].push_back(milliseconds.at(row_name(pass.key)));
    }
  }

  static TuningRow row_of(const Pass& pass) {
    TuningRow row{.layer = pass.key.first, .work = pass.key.second, .choice = {}, .by_cost_model = pass.by_cost_model};
    for (const std::string_view algorithm : pass.algorithms) {
      row.choice.measured.push_back({std::string(algorithm), median(pass.milliseconds.find(algorithm)->second)});
    }
    const auto& measured = row.choice.measured;
    const auto best = std::ranges::min_element(measured, {}, &plan::Measured::milliseconds);
    const auto expected = std::ranges::find(measured, pass.by_cost_model, &plan::Measured::algorithm);
    const bool stays = expected != measured.end() && best->milliseconds > kMargin * expected->milliseconds;
    row.choice.algorithm = (stays ? expected : best)->algorithm;
    return row;
  }

  const CommandLine& line_;
  const Compiled& compiled_;
  const Sources& sources_;
  Folder folder_;
  std::vector<Pass> passes_;
  std::vector<Run> runs_;
  int threads_;
  std::size_t variants_ = 0;
  std::vector<fs::path> programs_;
};

double milliseconds_of(const TuningRow& row, const std::string& algorithm) {
  const auto found = std::ranges::find(row.choice.measured, algorithm, &plan::Measured::algorithm);
  return found == row.choice.measured.end() ? 0 : found->milliseconds;
}

void tell(const TuningText& tuning, const fs::path& file) {
  std::size_t others = 0;
  double saved_training = 0, saved_prediction = 0;
  for (const TuningRow& row : tuning.rows) {
    others += row.choice.algorithm != row.by_cost_model ? 1 : 0;
    double& saved = row.work == plan::Work::kPredict ? saved_prediction : saved_training;
    saved += milliseconds_of(row, row.by_cost_model) - milliseconds_of(row, row.choice.algorithm);
  }
  if (tuning.rows.empty()) {
    fmt::print("{}: {} has no layer with several algorithms, so there is nothing to choose\n", file.string(), tuning.model);
    return;
  }
  fmt::print("{}: {} choices, {} of them not the cost model's", file.string(), tuning.rows.size(), others);
  if (others > 0) fmt::print("; they save {:.1f} ms of a training step and {:.1f} ms of a prediction", saved_training, saved_prediction);
  fmt::print("\n");
}

}  // namespace

int autotune(const CommandLine& line, const Compiled& compiled, const Sources& sources) {
  const fs::path file = line.output == "." ? fs::path(compiled.program.name + ".tune") : line.output;
  try {
    Tuner tuner(line, compiled, sources);
    tuner.measure();
    const TuningText tuning = tuner.result();
    if (const std::string error = write_text_if_changed(file, tuning_text(tuning)); !error.empty()) {
      throw std::runtime_error(fmt::format("'{}' can't be written: {}", file.string(), error));
    }
    tell(tuning, file);
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace cnnc::driver
