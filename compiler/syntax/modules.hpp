// A spec with the files that it imports: which there are, and that they don't import each other in a circle.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ast.hpp"
#include "support/diagnostics.hpp"

namespace cnnc::syntax {

/// One file.
struct Module {
  File tree;
  std::string folder;  // relative to the spec's; empty, or with '/' at its end
  /// For each of the file's imports in order: which module it is; none where it can't be had, which is reported.
  std::vector<std::optional<std::size_t>> imports;
};

/// The spec is the last one; a file stands behind those that it imports.
using Modules = std::vector<Module>;

/// A spec may have no more files than this.
inline constexpr std::size_t kMostModules = 1000;

/// Reads and parses a spec and, relative to each file's folder, what it imports; each file once. None where the spec itself
/// can't be parsed. Throws nothing; a file that can't be read is reported at its import.
std::optional<Modules> load(const std::filesystem::path& spec, Sources& sources, Diagnostics& diagnostics);

}  // namespace cnnc::syntax
