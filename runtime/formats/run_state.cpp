// The checksum (CRC-32) covers the text and every tensor's name, shape and values.
#include "formats/run_state.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include "formats/format_error.hpp"

namespace cnn::formats {
namespace {

constexpr const char* kFormat = "cnn-training-state";
constexpr const char* kVersion = "1";

uLong add(uLong checksum, std::string_view bytes) {
  return crc32_z(checksum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

std::string checksum_text(std::string_view text, std::span<const TensorView> tensors) {
  // Each piece's length comes before it, so that no two states are the same row of bytes.
  uLong checksum = add(crc32_z(0, nullptr, 0), fmt::format("{}:", text.size()));
  checksum = add(checksum, text);
  for (const TensorView& tensor : tensors) {
    checksum = add(checksum,
                   fmt::format("{}:{} {};", tensor.name.size(), tensor.name, extents_text(tensor.extents)));
    checksum =
        add(checksum, {reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes()});
  }
  return fmt::format("{:08x}", checksum);
}

const std::string* find(const Metadata& metadata, const char* name) {
  const auto place = metadata.find(name);
  return place == metadata.end() ? nullptr : &place->second;
}

}  // namespace

void write_run_state(const std::filesystem::path& file, std::string_view text,
                     std::span<const TensorView> tensors) {
  write_safetensors(file,
                    {{"format", kFormat},
                     {"format_version", kVersion},
                     {"state", std::string(text)},
                     {"checksum", checksum_text(text, tensors)}},
                    tensors);
}

RunState read_run_state(const std::filesystem::path& file) {
  RunState state{{}, SafetensorsFile(file)};
  const Metadata& metadata = state.tensors.metadata();
  const std::string* format = find(metadata, "format");
  if (format == nullptr || *format != kFormat)
    throw FormatError(file, "is not the state of a training; such a file is written by `train --out`");
  const std::string* version = find(metadata, "format_version");
  if (version == nullptr || *version != kVersion)
    throw FormatError(file, fmt::format("is a training state of version {}; this program reads version {}",
                                        version == nullptr ? "(none)" : *version, kVersion));
  const std::string* text = find(metadata, "state");
  const std::string* checksum = find(metadata, "checksum");
  if (text == nullptr || checksum == nullptr)
    throw FormatError(
        file, fmt::format("is damaged: its metadata has no '{}'", text == nullptr ? "state" : "checksum"));
  std::vector<TensorView> tensors;
  for (const TensorEntry& tensor : state.tensors.tensors())
    tensors.push_back({tensor.name, tensor.extents, state.tensors.values(tensor)});
  const std::string found = checksum_text(*text, tensors);
  if (found != *checksum)
    throw FormatError(file,
                      fmt::format("is damaged: its checksum is {}, but {} was written", found, *checksum));
  state.text = *text;
  return state;
}

}  // namespace cnn::formats
