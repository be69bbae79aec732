// The state of a training in one file: a safetensors file whose metadata holds a text of the program's (its
// counters, as JSON) and a checksum over all, so that half a file or somebody else's is never taken for a
// state.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "formats/safetensors.hpp"

namespace cnn::formats {

struct RunState {
  std::string text;         // as given to write_run_state
  SafetensorsFile tensors;  // weights, statistics, moments
};

/// Replaces `file` atomically; errors as write_safetensors.
void write_run_state(const std::filesystem::path& file, std::string_view text,
                     std::span<const TensorView> tensors);

/// Throws FormatError where `file` can't be read, is no state of a training, is of another version, or is
/// damaged.
RunState read_run_state(const std::filesystem::path& file);

}  // namespace cnn::formats
