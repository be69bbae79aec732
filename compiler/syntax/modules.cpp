// Follows imports, depth first.
#include "syntax/modules.hpp"

#include <algorithm>
#include <map>

#include "support/files.hpp"
#include "support/messages.hpp"
#include "syntax/parser.hpp"

namespace cnnc::syntax {

namespace {

namespace fs = std::filesystem;

class Loader {
 public:
  Loader(const fs::path& spec, Sources& sources, Diagnostics& diagnostics)
      : root_(spec.parent_path()), sources_(sources), diagnostics_(diagnostics) {}

  // The module of a file's text, with all that it imports before it; none after a message.
  std::optional<std::size_t> add(const fs::path& path, const std::string& text) {
    const std::uint32_t file = sources_.add(path.string(), text);
    auto tree = parse(sources_, file, diagnostics_);
    if (!tree) return std::nullopt;
    const fs::path folder = path.parent_path().lexically_relative(root_.empty() ? "." : root_);
    Module module{std::move(*tree), folder.empty() || folder == "." ? "" : folder.generic_string() + "/", {}};
    if (root_.empty() && !path.parent_path().empty()) module.folder = path.parent_path().generic_string() + "/";
    open_.push_back(path);
    for (const Item& item : module.tree.items) {
      if (const auto* import = std::get_if<ImportItem>(&item.form)) module.imports.push_back(follow(*import));
    }
    open_.pop_back();
    modules_.push_back(std::move(module));
    return modules_.size() - 1;
  }

  Modules take() { return std::move(modules_); }

 private:
  std::optional<std::size_t> follow(const ImportItem& import) {
    const fs::path path = (open_.back().parent_path() / import.path.text).lexically_normal();
    if (std::ranges::find(open_, path) != open_.end()) {
      auto report = diagnostics_.report(import.path.range, messages::kImportCircle, import.path.text);
      for (auto file = std::ranges::find(open_, path); file != open_.end(); ++file) {
        const fs::path next = std::next(file) == open_.end() ? path : *std::next(file);
        report.note(fmt::format("{} imports {}", file->filename().string(), next.filename().string()));
      }
      report.help("move what both need into a file of its own");
      return std::nullopt;
    }
    if (const auto found = known_.find(path); found != known_.end()) return found->second;
    return known_[path] = read(path, import);
  }

  std::optional<std::size_t> read(const fs::path& path, const ImportItem& import) {
    if (known_.size() >= kMostModules) {
      diagnostics_.report(import.path.range, messages::kTooManyFiles, kMostModules);
      return std::nullopt;
    }
    const auto text = read_text(path);
    if (!text.ok) {
      diagnostics_.report(import.path.range, messages::kCannotImport, import.path.text, text.error)
          .help("the path is relative to the folder of the file that imports");
      return std::nullopt;
    }
    return add(path, text.text);
  }

  fs::path root_;
  Sources& sources_;
  Diagnostics& diagnostics_;
  Modules modules_;
  std::vector<fs::path> open_;  // from the spec to the file at hand
  std::map<fs::path, std::optional<std::size_t>> known_;
};

}  // namespace

std::optional<Modules> load(const std::filesystem::path& spec, Sources& sources, Diagnostics& diagnostics) {
  const auto text = read_text(spec);
  if (!text.ok) {
    diagnostics.report_general(messages::kCannotReadSpec, spec.string(), text.error);
    return std::nullopt;
  }
  Loader loader(spec.lexically_normal(), sources, diagnostics);
  if (!loader.add(spec.lexically_normal(), text.text)) return std::nullopt;
  return loader.take();
}

}  // namespace cnnc::syntax
