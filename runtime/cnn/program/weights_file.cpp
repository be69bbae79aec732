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
std::vector<std::string> read_class_names(const formats::WeightsFile& file,
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

void require_agreement(const formats::WeightsFile& file, const char* key, const char* what,
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

/// What a file of ours says of its training, against this program.
void check_origin(const formats::WeightsFile& file, const ModelDescription& model, LoadedWeights& loaded) {
  require_agreement(file, "preparation", "the images' preparation", preparation_text(model));
  // A program without names of its own has them from its data, and so has the file.
  if (!model.data.class_names.empty())
    require_agreement(file, "class_names", "the classes", class_names_text(class_names(model)));
  const auto hash = file.metadata().find("spec_hash");
  if (hash != file.metadata().end() && hash->second != model.spec_hash)
    loaded.notes.push_back(
        fmt::format("{} comes from another version of the spec (hash {}, here {}) with the same tensors",
                    file.path().string(), hash->second, model.spec_hash));
  loaded.seed = read_seed(file.metadata());
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

std::vector<formats::WantedTensor> wanted_tensors(const ModelDescription& model) {
  std::vector<formats::WantedTensor> wanted;
  for (const TensorDescription& tensor : model.tensors) {
    const auto holds = [&](std::string_view head) {
      return tensor.name.starts_with(head) && tensor.name.substr(head.size()).starts_with('.');
    };
    const auto head = std::find_if(model.auxiliaries.begin(), model.auxiliaries.end(), holds);
    wanted.push_back({std::string(tensor.name), extents_of(tensor),
                      head == model.auxiliaries.end() ? "" : std::string(*head)});
  }
  return wanted;
}

bool is_own_file(const formats::WeightsFile& file) {
  const auto format = file.metadata().find("format");
  return format != file.metadata().end() && format->second == kFormat;
}

LoadedWeights load_weights(const std::filesystem::path& path, Network& network, formats::MatchBy by) {
  const ModelDescription& model = network.description();
  const formats::WeightsFile file(path);
  const std::vector<formats::WantedTensor> wanted = wanted_tensors(model);
  const formats::Pairing pairing =
      by == formats::MatchBy::kOrder
          ? formats::match_in_order(wanted, file.tensors())
          : formats::match_by_name(wanted, file.tensors(), formats::possible_names(wanted, "", ""));
  if (!formats::only_heads_are_missing(pairing, wanted))
    throw formats::FormatError(path, fmt::format("these are not weights of {}{}", model.name,
                                                 mismatch_text(pairing, wanted, file.tensors())));
  LoadedWeights loaded;
  for (const std::string& note : file.notes())
    loaded.notes.push_back(fmt::format("{}: {}", path.string(), note));
  if (is_own_file(file)) {
    check_origin(file, model, loaded);
  } else {
    loaded.notes.push_back(
        fmt::format("{} was not written by a cnnc program: that its images were prepared as here ({}) "
                    "can't be checked",
                    path.string(), preparation_text(model)));
  }
  loaded.class_names = read_class_names(file, model);
  if (loaded.class_names.empty()) loaded.class_names = class_names(model);
  if (!pairing.missing.empty())
    loaded.notes.push_back(
        fmt::format("{} lacks auxiliary heads, which prediction does not run", path.string()));
  if (!pairing.left_over.empty())
    loaded.notes.push_back(fmt::format("{} has more than {} uses{}", path.string(), model.name,
                                       formats::listed("not asked for", left_over_lines(pairing, file))));
  fill_tensors(pairing, file, network,
               [](std::size_t wanted_index) { return static_cast<int>(wanted_index); });
  if (by == formats::MatchBy::kOrder) loaded.pairs = formats::pair_lines(pairing, wanted, file.tensors());
  return loaded;
}

std::vector<std::string> left_over_lines(const formats::Pairing& pairing, const formats::WeightsFile& file) {
  std::vector<std::string> lines;
  for (const std::size_t index : pairing.left_over) {
    const formats::StoredTensor& tensor = file.tensors()[index];
    lines.push_back(fmt::format("{} {}", tensor.name, formats::extents_text(tensor.extents)));
  }
  return lines;
}

void fill_tensors(const formats::Pairing& pairing, const formats::WeightsFile& file, Network& network,
                  const std::function<int(std::size_t)>& tensor_of) {
  for (const formats::TensorPair& pair : pairing.pairs) file.check(pair.stored);
  for (const formats::TensorPair& pair : pairing.pairs)
    file.read(pair.stored, network.tensor(tensor_of(pair.wanted)));
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
