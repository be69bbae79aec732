// Files in and out of the formatter.
#include "driver/fmt.hpp"

#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "support/files.hpp"
#include "support/messages.hpp"
#include "syntax/format.hpp"

namespace cnnc::driver {

namespace {

ReadResult read(const std::string& name) {
  if (name != "-") return read_text(name);
  ReadResult result{true, std::string(std::istreambuf_iterator<char>(std::cin), {}), ""};
  if (std::cin.bad()) return {false, "", "standard input can't be read"};
  return result;
}

// Links stay what they are: the file that they name is written.
std::string write(const std::string& name, const std::string& text) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(name, error);
  return error ? error.message() : write_text_if_changed(path, text);
}

// False where the file has errors or would change.
bool format_file(const std::string& name, bool check) {
  const std::string shown = name == "-" ? "standard input" : name;
  Sources sources;
  Diagnostics diagnostics;
  const ReadResult source = read(name);
  std::optional<std::string> formatted;
  if (source.ok)
    formatted = syntax::format(sources, sources.add(shown, source.text), diagnostics);
  else
    diagnostics.report_general(messages::kCannotReadSpec, shown, source.error);
  fmt::print(stderr, "{}", render(diagnostics, sources));
  if (!formatted) return false;
  if (check) {
    if (*formatted == source.text) return true;
    fmt::print("{}\n", shown);
    return false;
  }
  if (name == "-") {
    fmt::print("{}", *formatted);
    return true;
  }
  const std::string error = write(name, *formatted);
  if (!error.empty()) fmt::print(stderr, "error: '{}' can't be written: {}\n", name, error);
  return error.empty();
}

}  // namespace

int format_files(const CommandLine& line) {
  bool well = true;
  for (const std::string& name : line.files) well = format_file(name, line.check) && well;
  return well ? 0 : 1;
}

}  // namespace cnnc::driver
