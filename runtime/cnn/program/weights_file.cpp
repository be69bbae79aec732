// Weights files, written and read strictly.
#include "weights_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "describe.hpp"
#include "errors.hpp"
#include "formats/format_error.hpp"
#include "formats/safetensors.hpp"
#include "run_directory.hpp"
#include "text.hpp"

namespace cnn::program {
namespace {

constexpr const char* kFormat = "cnnc-weights-1";

std::vector<std::int64_t> extents_of(const TensorDescription& tensor) {
  return {tensor.extents.begin(), tensor.extents.begin() + tensor.rank};
}

std::string class_names_text(const std::vector<std::string>& names) {
  return nlohmann::json(names).dump();
}

/// The file's class names; none where it has none that suit.
std::vector<std::string> read_class_names(const formats::SafetensorsFile& file,
                                          const ModelDescription& model) {
  const auto found = file.metadata().find("class_names");
  if (found == file.metadata().end()) return {};
  const auto json = nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array() || json.size() != static_cast<std::size_t>(model.outputs)) return {};
  std::vector<std::string> names;
  for (const auto& name : json)
    if (name.is_string()) names.push_back(name.get<std::string>());
  return names.size() == json.size() ? names : std::vector<std::string>{};
}

/// The first names, a line each, and how many more there are.
std::string listed(const char* title, const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8;
  if (names.empty()) return "";
  std::string text = fmt::format("\n  {}:", title);
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) text += "\n    " + names[i];
  if (names.size() > kMost) text += fmt::format("\n    and {} more", names.size() - kMost);
  return text;
}

struct Comparison {
  std::vector<std::string> missing, different, extra;
};

Comparison compare(const formats::SafetensorsFile& file, const ModelDescription& model) {
  Comparison comparison;
  for (const TensorDescription& tensor : model.tensors) {
    const formats::TensorEntry* found = file.find(tensor.name);
    const std::string expected = formats::extents_text(extents_of(tensor));
    if (found == nullptr) {
      comparison.missing.push_back(fmt::format("{} {}", tensor.name, expected));
    } else if (found->extents != extents_of(tensor) || found->type != "F32") {
      comparison.different.push_back(fmt::format("{} is {} {}, expected F32 {}", tensor.name, found->type,
                                                 formats::extents_text(found->extents), expected));
    }
  }
  for (const formats::TensorEntry& entry : file.tensors()) {
    if (entry.name.ends_with("num_batches_tracked"))
      continue;  // PyTorch's count of steps, of no use to a prediction
    const auto same = [&](const TensorDescription& tensor) { return tensor.name == entry.name; };
    if (std::none_of(model.tensors.begin(), model.tensors.end(), same))
      comparison.extra.push_back(fmt::format("{} {}", entry.name, formats::extents_text(entry.extents)));
  }
  return comparison;
}

void require_agreement(const formats::SafetensorsFile& file, const char* key, const char* what,
                       const std::string& expected) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end() || found->second == expected) return;
  throw formats::FormatError(file.path(),
                             fmt::format("{} when these weights were trained: not as in this program"
                                         "\n  file:    {}\n  program: {}",
                                         what, found->second, expected));
}

std::optional<std::uint64_t> read_seed(const formats::Metadata& metadata) {
  const auto found = metadata.find("seed");
  if (found == metadata.end()) return std::nullopt;
  std::uint64_t seed = 0;
  const char* end = found->second.data() + found->second.size();
  const auto result = std::from_chars(found->second.data(), end, seed);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return seed;
}

}  // namespace

void save_weights(const std::filesystem::path& file, const Network& network, std::uint64_t seed, int epoch,
                  const std::vector<std::string>& names) {
  const ModelDescription& model = network.description();
  const formats::Metadata metadata = {
      {"format", kFormat},
      {"model", std::string(model.name)},
      {"class_names", class_names_text(names.empty() ? class_names(model) : names)},
      {"preparation", preparation_text(model)},
      {"spec", std::string(model.spec)},
      {"spec_hash", std::string(model.spec_hash)},
      {"version", std::string(model.version)},
      {"seed", std::to_string(seed)},
      {"epoch", std::to_string(epoch)}};
  std::vector<formats::TensorView> tensors;
  for (std::size_t i = 0; i < model.tensors.size(); ++i)
    tensors.push_back({std::string(model.tensors[i].name), extents_of(model.tensors[i]),
                       network.tensor(static_cast<int>(i))});
  formats::write_safetensors(file, metadata, tensors);
}

LoadedWeights load_weights(const std::filesystem::path& path, Network& network) {
  const ModelDescription& model = network.description();
  const formats::SafetensorsFile file(path);
  const Comparison comparison = compare(file, model);
  if (!comparison.missing.empty() || !comparison.different.empty())
    throw formats::FormatError(
        path,
        fmt::format("these are not weights of {}{}{}{}", model.name, listed("missing", comparison.missing),
                    listed("different", comparison.different), listed("not asked for", comparison.extra)));
  LoadedWeights loaded;
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kFormat) {
    loaded.notes.push_back(
        fmt::format("{} was not written by a cnnc program: that its images were prepared as here ({}) "
                    "can't be checked",
                    path.string(), preparation_text(model)));
  } else {
    require_agreement(file, "preparation", "the images' preparation", preparation_text(model));
    // A program without names of its own has them from its data, and so has the file.
    if (!model.data.class_names.empty())
      require_agreement(file, "class_names", "the classes", class_names_text(class_names(model)));
    const auto hash = file.metadata().find("spec_hash");
    if (hash != file.metadata().end() && hash->second != model.spec_hash)
      loaded.notes.push_back(
          fmt::format("{} comes from another version of the spec (hash {}, here {}) with the same tensors",
                      path.string(), hash->second, model.spec_hash));
    loaded.seed = read_seed(file.metadata());
  }
  loaded.class_names = read_class_names(file, model);
  if (loaded.class_names.empty()) loaded.class_names = class_names(model);
  if (!comparison.extra.empty())
    loaded.notes.push_back(fmt::format("{} has more than {} uses{}", path.string(), model.name,
                                       listed("not asked for", comparison.extra)));
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const auto values = file.values(*file.find(model.tensors[i].name));
    std::copy(values.begin(), values.end(), network.tensor(static_cast<int>(i)).begin());
  }
  return loaded;
}

std::filesystem::path find_weights(const std::optional<std::filesystem::path>& weights,
                                   const std::filesystem::path& run, const ModelDescription& model) {
  if (weights) return *weights;
  std::vector<std::filesystem::path> candidates;
  for (const CheckpointDescription& checkpoint : model.training.checkpoints)
    candidates.push_back(run / checkpoint.file);
  candidates.push_back(run / kLastFile);
  for (const std::filesystem::path& candidate : candidates)
    if (std::filesystem::exists(candidate)) return candidate;
  throw UserError(fmt::format("{} holds no weights. Train first ('{}'), or name a file with --weights",
                              run.string(), invocation(model, "train")));
}

}  // namespace cnn::program
