// Writes generated files and depfiles.
#include "driver/generate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "support/files.hpp"

namespace cnnc::driver {

namespace {

struct Output {
  std::filesystem::path path;
  std::string text;
};

// A rule's word. GCC's way, which Make, Ninja and CMake read alike: a backslash stands for itself except
// before a blank, where each one is doubled.
std::string escaped(std::string_view path) {
  std::string text;
  std::size_t backslashes = 0;
  for (const char c : path) {
    if (c == ' ' || c == '\t') {
      text.append(backslashes + 1, '\\');
    } else if (c == '#') {
      text += '\\';
    } else if (c == '$') {
      text += '$';
    }
    backslashes = c == '\\' ? backslashes + 1 : 0;
    text += c;
  }
  return text;
}

int fail(const std::string& text) {
  fmt::print(stderr, "error: {}\n", text);
  return 1;
}

// Two programs may want the same file: models A and A_main of one spec.
const Output* find(const std::vector<Output>& outputs, const std::filesystem::path& path) {
  const auto found = std::ranges::find(outputs, path, &Output::path);
  return found == outputs.end() ? nullptr : &*found;
}

std::string choices(const std::vector<Compiled>& programs) {
  std::string names;
  for (const Compiled& compiled : programs) names += " " + compiled.program.model.name;
  return names;
}

std::string write_depfile(const CommandLine& line, const std::vector<Output>& outputs,
                          const Sources& sources) {
  std::vector<std::string> targets, dependencies;
  // Ninja wants the rule's first output first.
  if (!line.stamp.empty()) targets.push_back(line.stamp.string());
  for (const Output& output : outputs) targets.push_back(output.path.string());
  for (std::uint32_t file = 0; file < sources.size(); ++file) {
    if (std::ranges::find(dependencies, sources.file(file).name()) == dependencies.end()) {
      dependencies.push_back(sources.file(file).name());
    }
  }
  return write_text_if_changed(line.depfile, depfile_text(targets, dependencies));
}

// Empty where all went well, else what is wrong.
std::string touch(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return write_text_if_changed(path, "\n");
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now(), error);
  return error ? error.message() : "";
}

}  // namespace

std::string depfile_text(std::span<const std::string> targets, std::span<const std::string> dependencies) {
  std::string text;
  for (const std::string& target : targets) text += (text.empty() ? "" : " ") + escaped(target);
  text += ":";
  for (const std::string& dependency : dependencies) text += " \\\n  " + escaped(dependency);
  return text + "\n";
}

int write_generated(const CommandLine& line, std::vector<Compiled> programs, const Sources& sources) {
  if (!line.program_name.empty()) {
    if (programs.empty())
      return fail(fmt::format("{} has no model to name {}", line.subject, line.program_name));
    if (programs.size() > 1) {
      return fail(
          fmt::format("{} has several programs, and --name {} names one; choose it with --model:{}\n"
                      "  help: in CMake: cnn_add_model({} SPEC ... MODEL {})",
                      line.subject, line.program_name, choices(programs), line.program_name,
                      programs.front().program.model.name));
    }
    programs.front().plan.program = line.program_name;
  }
  std::vector<Output> outputs;
  for (const Compiled& compiled : programs) {
    for (emit::GeneratedFile& file : emit::emit(compiled.plan, compiled.origin)) {
      const std::filesystem::path path = line.output / file.name;
      if (find(outputs, path) != nullptr) {
        return fail(
            fmt::format("two programs of {} would both write '{}'; give one of the models another name",
                        line.subject, path.string()));
      }
      outputs.push_back({path, std::move(file.text)});
    }
  }
  const auto done = [](const std::filesystem::path& path, const std::string& error) {
    return error.empty() || fail(fmt::format("'{}' can't be written: {}", path.string(), error)) == 0;
  };
  for (const Output& output : outputs) {
    if (!done(output.path, write_text_if_changed(output.path, output.text))) return 1;
  }
  if (!line.depfile.empty() && !done(line.depfile, write_depfile(line, outputs, sources))) return 1;
  return line.stamp.empty() || done(line.stamp, touch(line.stamp)) ? 0 : 1;
}

}  // namespace cnnc::driver
