// What the tests of this folder share: a text parsed, dumped, formatted.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "syntax/format.hpp"
#include "syntax/parser.hpp"

namespace cnnc::syntax {

struct Parsed {
  Sources sources;
  Diagnostics diagnostics;
  std::optional<File> file;

  explicit Parsed(const std::string& text) {
    const auto id = sources.add("spec.cnn", text);
    file = parse(sources, id, diagnostics);
  }
  std::string messages() const { return render(diagnostics, sources); }
};

/// The tree as text; what is wrong where there is none.
inline std::string tree(const std::string& text) {
  const Parsed parsed(text);
  return parsed.file ? dump(*parsed.file) : parsed.messages();
}

/// The canonical form; what is wrong where there is none.
inline std::string formatted(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  const auto result = format(sources, sources.add("spec.cnn", text), diagnostics);
  return result ? *result : render(diagnostics, sources);
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// The specs in a folder, sorted; none where there is no such folder.
inline std::vector<std::filesystem::path> specs_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (entry.path().extension() == ".cnn") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace cnnc::syntax
