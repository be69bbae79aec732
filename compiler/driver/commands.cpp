// The commands of cnnc.
#include "driver/commands.hpp"

#include <fmt/format.h>

#include <thread>

#include "driver/describe.hpp"
#include "driver/generate.hpp"
#include "driver/summary.hpp"
#include "ops/cards.hpp"

namespace cnnc::driver {

namespace {

int describe_command(const CommandLine& line) {
  const ir::OpRegistry ops = ops::registry();
  if (line.subject.empty()) {
    fmt::print("{}", describe_all(ops));
    return 0;
  }
  if (const ir::OpDef* card = ops.find(line.subject)) {
    fmt::print("{}", describe(*card));
    return 0;
  }
  std::vector<std::string_view> names;
  for (const ir::OpDef& card : ops.all()) names.push_back(card.name);
  const std::string_view near = nearest(line.subject, names);
  fmt::print(stderr, "error: there is no layer '{}'{}\n  help: cnnc describe lists all layers\n", line.subject,
             near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  return 1;
}

int print_summaries(const CommandLine& line, const std::vector<Compiled>& programs) {
  const int threads = line.threads > 0 ? line.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (line.json && programs.size() > 1) {
    fmt::print(stderr, "error: the spec has several programs; choose one with --model:");
    for (const Compiled& compiled : programs) fmt::print(stderr, " {}", compiled.program.model.name);
    fmt::print(stderr, "\n");
    return 2;
  }
  for (const Compiled& compiled : programs) {
    fmt::print("{}", line.json ? summary_json(compiled.plan, threads) : summary_text(compiled.plan, threads));
  }
  return 0;
}

int run_one(const CommandLine& line, const std::vector<Compiled>& programs) {
  if (programs.size() == 1) return run_program(line, programs.front());
  if (programs.empty()) {
    fmt::print(stderr, "error: {} has no model to {}\n", line.subject, line.command);
    return 1;
  }
  fmt::print(stderr, "error: {} has several programs; choose one with --model:", line.subject);
  for (const Compiled& compiled : programs) fmt::print(stderr, " {}", compiled.program.model.name);
  fmt::print(stderr, "\n");
  return 2;
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

  Sources sources;
  Diagnostics diagnostics;
  const std::vector<Compiled> programs = compile(line.compile, sources, diagnostics);
  const bool machine = line.json && line.command == "check";
  if (machine) fmt::print("{}", render_json(diagnostics, sources));
  else fmt::print(stderr, "{}", render(diagnostics, sources));
  if (diagnostics.failed()) return 1;
  if (line.command == "check") return 0;
  if (line.command == "summary") return print_summaries(line, programs);
  if (line.command == "generate") return write_generated(line, programs, sources);
  return run_one(line, programs);
}

}  // namespace cnnc::driver
