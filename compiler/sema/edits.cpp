// Which edits reach a path of an expansion.
#include "sema/edits.hpp"

namespace cnnc::sema {

std::string EditScope::path_in_model(std::string_view path) const {
  if (base.empty()) return part.empty() || path.empty() ? part + std::string(path) : part + "." + std::string(path);
  const std::string_view rest = path.substr(base.size());
  return part.empty() ? std::string(rest.empty() ? rest : rest.substr(1)) : part + std::string(rest);
}

std::vector<FoundEdit> EditScope::at(std::string_view path) const {
  std::vector<FoundEdit> found;
  const std::string wanted = path_in_model(path);
  for (std::size_t i = depth; i < layers->size(); ++i) {
    const auto edits = (*layers)[i].by_path.find(wanted);
    if (edits == (*layers)[i].by_path.end()) continue;
    for (const syntax::Edit* edit : edits->second) found.push_back({edit, &(*layers)[i], this, i + 1});
  }
  if (outer != nullptr) {
    for (const FoundEdit& edit : outer->at(path)) found.push_back(edit);
  }
  return found;
}

bool EditScope::reserved(std::string_view path) const {
  return depth > 0 && (*layers)[depth - 1].paths_before.contains(path_in_model(path));
}

}  // namespace cnnc::sema
