// Weights files: a network's tensors with what one must know to use them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cnn/network/network.hpp"
#include "formats/match.hpp"

namespace cnn::program {

/// Replaces `file` by the network's parameters and statistics; the metadata carries class names (those of the
/// program where `class_names` is empty), preparation, the spec's hash, and the seed that cut the data.
/// Throws FormatError where it can't be written.
void save_weights(const std::filesystem::path& file, const Network& network, std::uint64_t seed, int epoch,
                  const std::vector<std::string>& class_names);

/// What was found besides the tensors.
struct LoadedWeights {
  std::vector<std::string> notes;        // for the user: a foreign file, tensors nobody asked for
  std::vector<std::string> pairs;        // lines of a table, where tensors were matched in order
  std::optional<std::uint64_t> seed;     // that the data was cut with
  std::vector<std::string> class_names;  // the file's; the program's where it has none
};

/// Fills the network from `file`. Every tensor must be there, but for auxiliary heads, which prediction does
/// not run; and what the file says of preparation and classes must agree with the program: else a FormatError
/// lists what differs, and the network is as it was.
LoadedWeights load_weights(const std::filesystem::path& file, Network& network,
                           formats::MatchBy by = formats::MatchBy::kName);

/// All of a model's tensors, in its order.
std::vector<formats::WantedTensor> wanted_tensors(const ModelDescription& model);
/// Whether a program of ours wrote the file, so that its metadata says how images were prepared.
bool is_own_file(const formats::WeightsFile& file);
/// Tensors of the file that nobody asked for, a line each.
std::vector<std::string> left_over_lines(const formats::Pairing& pairing, const formats::WeightsFile& file);
/// Reads every pair's tensor into the network's tensor `tensor_of(wanted)`; all or, after a FormatError,
/// none.
void fill_tensors(const formats::Pairing& pairing, const formats::WeightsFile& file, Network& network,
                  const std::function<int(std::size_t)>& tensor_of);

/// `weights` where it is given, else the run's best and else its last. Throws UserError where there is none.
std::filesystem::path find_weights(const std::optional<std::filesystem::path>& weights,
                                   const std::filesystem::path& run, const ModelDescription& model);

}  // namespace cnn::program
