// The commands of cnnc.
#include "driver/commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <thread>

#include "driver/autotune.hpp"
#include "driver/compare.hpp"
#include "driver/describe.hpp"
#include "driver/diff.hpp"
#include "driver/explain.hpp"
#include "driver/export.hpp"
#include "driver/fmt.hpp"
#include "driver/generate.hpp"
#include "driver/graph.hpp"
#include "driver/summary.hpp"
#include "driver/weights.hpp"
#include "ops/cards.hpp"
#include "sema/render.hpp"

namespace cnnc::driver {

namespace {

int describe_command(const CommandLine& line) {
  const ir::OpRegistry ops = ops::registry();
  if (line.markdown || line.subject.empty()) {
    fmt::print("{}", line.markdown ? describe_markdown(ops) : describe_all(ops));
    return 0;
  }
  if (const auto text = describe(line.subject, ops)) {
    fmt::print("{}", *text);
    return 0;
  }
  const std::string_view near = nearest(line.subject, describable(ops));
  fmt::print(stderr, "error: there is nothing called '{}'{}\n  help: cnnc describe lists all names\n", line.subject,
             near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  return 1;
}

// The only one of the spec's programs; null, after a message, where there are none or several.
template <class Program>
const Program* only(const CommandLine& line, const std::vector<Program>& programs, std::string_view (*name)(const Program&)) {
  if (programs.size() == 1) return &programs.front();
  if (programs.empty()) {
    fmt::print(stderr, "error: {} has no model to {}\n", line.subject, line.command);
    return nullptr;
  }
  fmt::print(stderr, "error: {} has several programs; choose one with --model:", line.subject);
  for (const Program& program : programs) fmt::print(stderr, " {}", name(program));
  fmt::print(stderr, "\n");
  return nullptr;
}

std::string_view model_of(const Compiled& compiled) {
  return compiled.program.model.name;
}

std::string_view model_name(const sema::Program& program) {
  return program.model.name;
}

constexpr int kUserError = 1, kUsage = 2;

int exit_code_without(const auto& programs) {
  return programs.empty() ? kUserError : kUsage;
}

int threads_of(const CommandLine& line) {
  return line.threads > 0 ? line.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

int print_summaries(const CommandLine& line, const std::vector<Compiled>& programs) {
  const SummaryOptions options{.threads = threads_of(line), .depth = line.depth};
  if (line.json) {
    const Compiled* compiled = only(line, programs, model_of);
    if (compiled == nullptr) return exit_code_without(programs);
    fmt::print("{}", summary_json(compiled->plan, options));
    return 0;
  }
  for (const Compiled& compiled : programs) {
    if (&compiled != &programs.front()) fmt::print("\n");
    fmt::print("{}", line.keras ? keras_summary(compiled.plan, options) : summary_text(compiled.plan, options));
  }
  return 0;
}

int run_one(const CommandLine& line, const std::vector<Compiled>& programs) {
  const Compiled* compiled = only(line, programs, model_of);
  return compiled == nullptr ? exit_code_without(programs) : run_program(line, *compiled);
}

int print_graph(const CommandLine& line, const std::vector<sema::Program>& programs) {
  const sema::Program* program = only(line, programs, model_name);
  if (program == nullptr) return exit_code_without(programs);
  const std::string dot = graph_dot(program->model);
  if (!line.svg) {
    fmt::print("{}", dot);
    return 0;
  }
  try {
    fmt::print("{}", draw_svg(dot));
    return 0;
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "error: {}\n  help: cnnc graph without --svg prints the drawing in the dot language\n", error.what());
    return kUserError;
  }
}

int print_rendered(const CommandLine& line, const std::vector<sema::Program>& programs) {
  const sema::Program* program = only(line, programs, model_name);
  if (program == nullptr) return exit_code_without(programs);
  fmt::print("{}", sema::render(*program));
  return 0;
}

// What two specs are compared for; each is compiled with the same options.
int print_diff(const CommandLine& line) {
  std::vector<Compiled> sides;
  for (const std::string& spec : {line.subject, line.second}) {
    Sources sources;
    Diagnostics diagnostics;
    CommandLine side = line;
    side.subject = spec;
    side.compile.spec = spec;
    std::vector<Compiled> programs = compile(side.compile, sources, diagnostics);
    if (diagnostics.failed()) {
      fmt::print(stderr, "{}", render(diagnostics, sources));
      return kUserError;
    }
    if (only(side, programs, model_of) == nullptr) return exit_code_without(programs);
    sides.push_back(std::move(programs.front()));
  }
  fmt::print("{}", diff_text(sides[0], sides[1]));
  return 0;
}

// "specs/vgg.cnn:VGG16" names one model of a spec, unless there is a file of that whole name.
CompileOptions options_for(const CommandLine& line, const std::string& subject) {
  CompileOptions options = line.compile;
  options.compared_batch = line.batch;
  options.spec = subject;
  const std::size_t colon = subject.rfind(':');
  if (colon != std::string::npos && !std::filesystem::exists(subject)) {
    options.spec = subject.substr(0, colon);
    options.model = subject.substr(colon + 1);
  }
  return options;
}

// All models of each spec that names none.
int print_comparison(const CommandLine& line) {
  std::vector<plan::Plan> plans;
  for (const std::string& subject : line.files) {
    Sources sources;
    Diagnostics diagnostics;
    std::vector<Compiled> programs = compile(options_for(line, subject), sources, diagnostics);
    fmt::print(stderr, "{}", render(diagnostics, sources));
    if (diagnostics.failed()) return kUserError;
    for (Compiled& compiled : programs) plans.push_back(std::move(compiled.plan));
  }
  if (plans.empty()) {
    fmt::print(stderr, "error: there is no model to compare in {}\n", fmt::join(line.files, ", "));
    return kUserError;
  }
  const TableForm form = line.markdown ? TableForm::kMarkdown : TableForm::kText;
  fmt::print("{}", line.json ? compare_json(plans, threads_of(line)) : compare_text(plans, threads_of(line), form));
  return 0;
}

// Commands that need what a spec means, but no plan of it.
int run_on_meaning(const CommandLine& line, const std::vector<sema::Program>& programs, const Sources& sources) {
  if (line.command == "export") {
    const sema::Program* program = only(line, programs, model_name);
    return program == nullptr ? exit_code_without(programs) : export_onnx(line, *program, sources);
  }
  if (line.command == "render") return print_rendered(line, programs);
  if (line.command == "graph") return print_graph(line, programs);
  return 0;  // check
}

int run_on_plans(const CommandLine& line, const std::vector<Compiled>& programs, const Sources& sources) {
  if (line.command == "summary") return print_summaries(line, programs);
  if (line.command == "explain") {
    for (const Compiled& compiled : programs) fmt::print("{}", explain_text(compiled));
    return 0;
  }
  if (line.command == "autotune") {
    const Compiled* compiled = only(line, programs, model_of);
    return compiled == nullptr ? exit_code_without(programs) : autotune(line, *compiled, sources);
  }
  if (line.command == "generate") return write_generated(line, programs, sources);
  return run_one(line, programs);
}

}  // namespace

int run_command(const CommandLine& line) {
  if (line.command == "--version") {
    fmt::print("cnnc {}\n", CNNC_VERSION);
    return 0;
  }
  if (line.help) {
    fmt::print("{}", help_text(line.command));
    return 0;
  }
  if (line.command == "describe") return describe_command(line);
  if (line.command == "fmt") return format_files(line);
  if (line.command == "diff") return print_diff(line);
  if (line.command == "compare") return print_comparison(line);
  if (line.command == "weights") return weights_command(line);

  Sources sources;
  Diagnostics diagnostics;
  static constexpr std::string_view kOnMeaning[] = {"check", "render", "graph", "export"};
  const bool on_meaning = std::ranges::find(kOnMeaning, line.command) != std::end(kOnMeaning);
  std::vector<sema::Program> programs;
  std::vector<Compiled> plans;
  if (on_meaning) programs = analyze_spec(line.compile, sources, diagnostics);
  else plans = compile(line.compile, sources, diagnostics);
  const bool machine = line.json && line.command == "check";
  if (machine) fmt::print("{}", render_json(diagnostics, sources));
  else fmt::print(stderr, "{}", render(diagnostics, sources));
  if (diagnostics.failed()) return kUserError;
  return on_meaning ? run_on_meaning(line, programs, sources) : run_on_plans(line, plans, sources);
}

}  // namespace cnnc::driver
