// The JSON header of safetensors files: text to entries and back. Inside of formats only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.hpp"

namespace cnn::formats {

/// Bytes of a number of `type`, such as "F32"; 0 for types that the format doesn't know.
std::uint64_t type_bytes(std::string_view type);

struct SafetensorsHeader {
  Metadata metadata;
  std::vector<TensorEntry> tensors;  // by begin
};

/// Reads the header of `file` and checks all that it claims of `data_bytes` bytes of data: known types,
/// shapes that fit their bytes, data without gaps, overlaps or repeated names. Throws FormatError.
SafetensorsHeader parse_header(const std::filesystem::path& file, std::string_view text,
                               std::uint64_t data_bytes);

/// The header's text, padded with spaces to a multiple of 8 bytes.
std::string header_text(const SafetensorsHeader& header);

}  // namespace cnn::formats
