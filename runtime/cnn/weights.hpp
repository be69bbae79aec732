// Weights files, for programs that use a generated class.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cnn/network/network.hpp"

namespace cnn {

/// Fills the network from a safetensors file or one of PyTorch's, of a training or of another program. All tensors must be there
/// by name and shape. Returns what the user should know: that the file is a foreign one, tensors that nobody
/// asked for. Throws std::runtime_error with file, expected and found where it does not fit; the network is
/// then as it was.
std::vector<std::string> load_weights(const std::filesystem::path& file, Network& network);

/// Replaces `file` by the network's parameters and statistics. Throws std::runtime_error where it can't be
/// written.
void save_weights(const std::filesystem::path& file, const Network& network);

}  // namespace cnn
