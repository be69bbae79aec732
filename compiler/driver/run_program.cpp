// train, eval, predict, bench, profile: generate, build into the cache, and become the program.
#include <fmt/format.h>

#include <cstdlib>

#include "driver/build_cache.hpp"
#include "driver/commands.hpp"
#include "driver/process.hpp"

namespace cnnc::driver {

int run_program(const CommandLine& line, const Compiled& compiled) {
  std::filesystem::path binary;
  try {
    const Toolchain toolchain = find_toolchain();
    binary = cached_program(compiled.program.name, emit::emit(compiled.plan, compiled.origin), toolchain);
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
  std::vector<std::string> command{binary.string(), line.command};
  command.insert(command.end(), line.program.begin(), line.program.end());
  const std::filesystem::path folder = line.compile.spec.parent_path();
  if (line.command == "train" || line.command == "eval") {
    command.insert(command.end(), {"--root", folder.empty() ? "." : folder.string()});
  }
  // So that the program can say how to go on in the words its user began with.
  std::string subject = line.compile.spec.string();
  if (!line.compile.model.empty()) subject += " --model " + line.compile.model;
  for (const auto& [name, value] : line.compile.overrides) subject += fmt::format(" --set {}={}", name, value);
  if (line.compile.precision) subject += *line.compile.precision == ir::Precision::kStrict ? " --precision strict" : " --precision fast";
  if (!line.compile.tuned.empty()) subject += " --tuned " + line.compile.tuned.string();
  setenv("CNNC_BINARY", line.binary.c_str(), 1);
  setenv("CNNC_SPEC", subject.c_str(), 1);
  fflush(nullptr);
  replace_process(command);
  fmt::print(stderr, "error: '{}' can't be started\n", binary.string());
  return 1;
}

}  // namespace cnnc::driver
