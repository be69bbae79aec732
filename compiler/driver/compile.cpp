// The compiler's table of contents.
#include "driver/compile.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "driver/tuning_file.hpp"
#include "lower/lower.hpp"
#include "ops/cards.hpp"
#include "plan/make_plan.hpp"
#include "sema/not_yet.hpp"
#include "sema/render.hpp"
#include "support/files.hpp"
#include "support/messages.hpp"
#include "syntax/modules.hpp"
#include "syntax/parser.hpp"

namespace cnnc::driver {

namespace {

constexpr std::int64_t kInferenceBatch = 32;  // of a model that nothing trains

std::vector<std::string> lines_of(const SourceFile& file) {
  std::vector<std::string> lines;
  std::string_view text = file.text();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void print_if(bool wanted, const std::string& text) {
  if (wanted) fmt::print("{}", text);
}

// One training for every program, so that figures can be compared: all learns, by SGD with momentum.
ir::Training training_to_compare(const ir::Graph& graph, std::int64_t batch) {
  ir::Phase phase;
  phase.name = "everything";
  phase.optimizer = ir::Optimizer{.kind = ir::Optimizer::Kind::kSgd, .learning_rate = 0.1, .momentum = 0.9};
  phase.frozen.assign(graph.layers.size(), false);
  ir::Training training;
  training.batch = batch;
  training.phases.push_back(std::move(phase));
  return training;
}

Compiled plan_program(sema::Program program, const CompileOptions& options, const Sources& sources, const plan::Tuning& tuning) {
  if (program.training && options.precision) program.training->precision = *options.precision;
  const ir::Graph graph = lower::lower(program.model, sources);
  print_if(options.dump == "graph", ir::dump(graph));
  const bool compares = options.compared_batch > 0;
  const auto training = compares ? training_to_compare(graph, options.compared_batch) : program.training;
  const auto observe = [&](std::string_view pass, const ir::Graph& after) { print_if(options.dump_after == pass, ir::dump(after)); };
  plan::Plan plan = plan::make_plan(graph, {.program = program.name,
                                            .data = program.data,
                                            .training = training,
                                            .batch = training ? training->batch : kInferenceBatch,
                                            .precision = options.precision,
                                            .tuning = tuning,
                                            .observer = observe});
  print_if(options.dump == "plan", plan::dump(plan));
  emit::Origin origin{.spec = options.spec.filename().string(),
                      .spec_lines = lines_of(sources.file(program.model.range.file)),
                      .version = tuning.empty() ? CNNC_VERSION : fmt::format("{}, tuned {}", CNNC_VERSION, plan::fingerprint(tuning)),
                      .spec_hash = semantic_hash(program),
                      .rendered = sema::render(program)};
  return {std::move(program), std::move(plan), std::move(origin)};
}

// Holds a tuning file against the program that it is for, and plans that one anew.
void tune(const TuningFile& file, const CompileOptions& options, const Sources& sources, std::vector<Compiled>& programs, Diagnostics& diagnostics) {
  const auto found = std::ranges::find(programs, file.model.text, [](const Compiled& compiled) { return compiled.plan.model; });
  if (found == programs.end()) {
    std::vector<std::string_view> names;
    for (const Compiled& compiled : programs) names.push_back(compiled.plan.model);
    diagnostics.report(file.model.range, messages::kTuningModel, file.model.text, fmt::format("{}", fmt::join(names, ", ")))
        .help("cnnc autotune SPEC --model NAME measures another model");
    return;
  }
  const plan::Tuning tuning = fit_tuning(file, found->plan, diagnostics);
  if (!diagnostics.failed()) *found = with_tuning(*found, tuning, options, sources);
}

void report_not_yet(const sema::Program& program, Diagnostics& diagnostics) {
  for (const ir::NotYet& one : sema::not_yet(program)) diagnostics.report(one.range, messages::kNotGeneratedYet, one.what);
}

}  // namespace

std::vector<sema::Program> analyze_spec(const CompileOptions& options, Sources& sources, Diagnostics& diagnostics) {
  const auto modules = syntax::load(options.spec, sources, diagnostics);
  if (!modules || diagnostics.failed()) return {};
  print_if(options.dump == "ast", syntax::dump(modules->back().tree));

  static const ir::OpRegistry ops = ops::registry();
  std::vector<sema::Program> programs = sema::analyze(*modules, ops, options.overrides, sources, diagnostics);
  if (diagnostics.failed()) return {};
  if (!options.model.empty()) {
    std::vector<std::string_view> names;
    for (const sema::Program& program : programs) names.push_back(program.model.name);
    std::erase_if(programs, [&](const sema::Program& program) { return program.model.name != options.model; });
    if (programs.empty()) {
      diagnostics.report_general(messages::kNoSuchModel, options.model, options.spec.string(), fmt::format("{}", fmt::join(names, ", ")));
    }
  }
  for (const sema::Program& program : programs) print_if(options.dump == "model", sema::dump(program));
  return programs;
}

std::vector<Compiled> compile(const CompileOptions& options, Sources& sources, Diagnostics& diagnostics) {
  std::vector<Compiled> compiled;
  std::vector<sema::Program> programs = analyze_spec(options, sources, diagnostics);
  for (const sema::Program& program : programs) {
    if (options.generates) report_not_yet(program, diagnostics);
  }
  if (diagnostics.failed()) return compiled;
  std::optional<TuningFile> file;
  if (!options.tuned.empty() && !(file = read_tuning(options.tuned, sources, diagnostics))) return compiled;
  CompileOptions quiet = options;  // what is planned twice is dumped once
  quiet.dump = quiet.dump_after = "";
  for (sema::Program& program : programs) {
    const bool again = file && file->model.text == program.model.name;
    compiled.push_back(plan_program(std::move(program), again ? quiet : options, sources, {}));
  }
  if (file) tune(*file, options, sources, compiled, diagnostics);
  return compiled;
}

Compiled with_tuning(const Compiled& compiled, const plan::Tuning& tuning, const CompileOptions& options, const Sources& sources) {
  return plan_program(compiled.program, options, sources, tuning);
}

std::string semantic_hash(const sema::Program& program) {
  // The rendered form holds all that a program means; neither its epochs nor its lines may count.
  std::string text;
  if (program.training) {
    sema::Program without_epochs = program;
    for (ir::Phase& phase : without_epochs.training->phases) phase.epochs = 0;
    text = sema::render(without_epochs);
  } else {
    text = sema::render(program);
  }
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, 64 bits
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

}  // namespace cnnc::driver
