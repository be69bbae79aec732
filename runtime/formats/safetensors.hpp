// Safetensors files: named tensors with a JSON header, as Python's safetensors reads and writes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cnn::formats {

using Metadata = std::map<std::string, std::string>;

/// A tensor to write, or one that was read. The product of `extents` is values.size(); no extents are a
/// single number.
struct TensorView {
  std::string name;
  std::vector<std::int64_t> extents;
  std::span<const float> values;
};

/// "64x3x7x7"; "scalar" for no extents.
std::string extents_text(std::span<const std::int64_t> extents);

/// A file's header as it stands, checked against the file's size.
struct TensorEntry {
  std::string name;
  std::string type;  // "F32", "I64", ...
  std::vector<std::int64_t> extents;
  std::uint64_t begin = 0, end = 0;  // bytes, from the start of the data
};

/// A file read whole. Its types may be any that the format knows, so that what nobody asks for does no harm;
/// only F32 can be taken out.
class SafetensorsFile {
 public:
  /// Throws FormatError where `file` can't be read or its header claims what is not so.
  explicit SafetensorsFile(const std::filesystem::path& file);

  const std::filesystem::path& path() const { return path_; }
  const Metadata& metadata() const { return metadata_; }
  /// In the order of their data.
  std::span<const TensorEntry> tensors() const { return tensors_; }
  std::vector<std::string> names() const;
  /// Nothing where there is none of that name.
  const TensorEntry* find(std::string_view name) const;
  /// The bytes of one of tensors(), whatever its type.
  std::span<const std::byte> bytes(const TensorEntry& tensor) const;
  /// The numbers of one of tensors(), as long as this file lives. Throws FormatError where they are not F32.
  std::span<const float> values(const TensorEntry& tensor) const;
  /// The same with name and shape; throws FormatError where there is no tensor `name`.
  TensorView tensor(std::string_view name) const;

 private:
  std::filesystem::path path_;
  Metadata metadata_;
  std::vector<TensorEntry> tensors_;  // by begin
  std::map<std::string, std::size_t, std::less<>> places_;
  std::unique_ptr<std::uint64_t[]> data_;  // of 8 bytes each, for their alignment
};

/// Replaces `file` atomically. The same arguments give the same bytes. Throws FormatError where it can't be
/// written, and std::invalid_argument for names that repeat or shapes that don't fit their values.
void write_safetensors(const std::filesystem::path& file, const Metadata& metadata,
                       std::span<const TensorView> tensors);

}  // namespace cnn::formats
