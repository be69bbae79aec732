// Pairs a part's tensors with a file's, strictly, and reads them.
#include "initial_weights.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "describe.hpp"
#include "errors.hpp"
#include "formats/format_error.hpp"
#include "weights_file.hpp"

namespace cnn::program {
namespace {

/// The file for a part; nothing where the command line wants random weights.
std::optional<std::filesystem::path> file_of(const InitialWeightsDescription& part,
                                             const TrainOptions& options) {
  for (const InitialFile& given : options.initial_files)
    if (given.path == part.path) return given.file;
  return options.place.root / std::filesystem::path(part.file);
}

/// Files of ours say how images were prepared; other data may well be prepared in another way, so that is
/// only noted.
void note_preparation(const formats::WeightsFile& file, const ModelDescription& model,
                      std::vector<std::string>& notes) {
  const auto found = file.metadata().find("preparation");
  if (!is_own_file(file) || found == file.metadata().end() || found->second == preparation_text(model))
    return;
  notes.push_back(fmt::format("{} was trained on images prepared as {}, and these are prepared as {}",
                              file.path().string(), found->second, preparation_text(model)));
}

std::vector<std::string> load_part(const InitialWeightsDescription& part, const std::filesystem::path& path,
                                   Network& network, std::vector<std::string>& notes) {
  const ModelDescription& model = network.description();
  const formats::WeightsFile file(path);
  const std::vector<formats::WantedTensor> all = wanted_tensors(model);
  std::vector<formats::WantedTensor> wanted;
  for (const int tensor : part.tensors) wanted.push_back(all[static_cast<std::size_t>(tensor)]);
  const formats::Pairing pairing =
      part.by_order ? formats::match_in_order(wanted, file.tensors())
                    : formats::match_by_name(wanted, file.tensors(),
                                             formats::possible_names(wanted, part.prefix, part.section));
  if (!pairing.complete())
    throw formats::FormatError(
        path, fmt::format("these are not weights of {} by {}{}", part.path, part.by_order ? "order" : "name",
                          mismatch_text(pairing, wanted, file.tensors())));
  fill_tensors(pairing, file, network, [&](std::size_t index) { return part.tensors[index]; });
  for (const std::string& note : file.notes()) notes.push_back(fmt::format("{}: {}", path.string(), note));
  if (!pairing.left_over.empty())
    notes.push_back(fmt::format("{} has more than {} takes{}", path.string(), part.path,
                                formats::listed("not asked for", left_over_lines(pairing, file))));
  note_preparation(file, model, notes);
  std::vector<std::string> lines{fmt::format("init {} from {}: {} tensors by {}", part.path, path.string(),
                                             wanted.size(), part.by_order ? "order" : "name")};
  if (part.by_order)
    for (const std::string& pair : formats::pair_lines(pairing, wanted, file.tensors()))
      lines.push_back("  " + pair);
  return lines;
}

}  // namespace

void require_known_parts(const TrainOptions& options, const ModelDescription& model) {
  const auto parts = model.training.initial_weights;
  for (const InitialFile& given : options.initial_files) {
    const auto same = [&](const InitialWeightsDescription& part) { return part.path == given.path; };
    if (std::any_of(parts.begin(), parts.end(), same)) continue;
    std::string paths;
    for (const InitialWeightsDescription& part : parts)
      paths += fmt::format("{}{}", paths.empty() ? "" : ", ", part.path);
    throw UserError(fmt::format("--init names {}, and {}", given.path,
                                paths.empty() ? fmt::format("{} has no init line to replace", model.spec)
                                              : fmt::format("{} has init lines for: {}", model.spec, paths)));
  }
}

std::vector<std::string> load_initial_weights(Network& network, const TrainOptions& options,
                                              std::vector<std::string>& notes) {
  const ModelDescription& model = network.description();
  std::vector<std::string> lines;
  for (const InitialWeightsDescription& part : model.training.initial_weights) {
    const std::optional<std::filesystem::path> file = file_of(part, options);
    if (!file) {
      lines.push_back(fmt::format("init {} at random", part.path));
      continue;
    }
    const std::vector<std::string> loaded = load_part(part, *file, network, notes);
    lines.insert(lines.end(), loaded.begin(), loaded.end());
  }
  return lines;
}

}  // namespace cnn::program
