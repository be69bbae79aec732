// Layout of a file: 8 bytes of header length (little-endian), the header, the data.
#include "formats/safetensors.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "formats/atomic_file.hpp"
#include "formats/format_error.hpp"
#include "formats/input_file.hpp"
#include "formats/safetensors_header.hpp"

namespace cnn::formats {
namespace {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian, and so must the machine be");

constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // the format's own limit

/// Header length, checked.
std::uint64_t read_header_length(InputFile& input) {
  if (input.size() < 8)
    throw FormatError(input.path(),
                      fmt::format("is not a safetensors file: it has only {} bytes", input.size()));
  std::array<std::byte, 8> bytes;
  input.read_all(bytes);
  const auto length = std::bit_cast<std::uint64_t>(bytes);
  if (length > kMostHeaderBytes)
    throw FormatError(input.path(), "is not a safetensors file: its first 8 bytes are no header length");
  if (length > input.size() - 8)
    throw FormatError(input.path(),
                      fmt::format("is truncated: its header should have {} bytes, but {} are left", length,
                                  input.size() - 8));
  return length;
}

std::size_t product(std::span<const std::int64_t> extents) {
  std::size_t count = 1;
  for (const std::int64_t extent : extents)
    if (extent < 0 || __builtin_mul_overflow(count, static_cast<std::size_t>(extent), &count))
      return std::numeric_limits<std::size_t>::max();
  return count;
}

SafetensorsHeader make_header(const Metadata& metadata, std::span<const TensorView> tensors) {
  SafetensorsHeader header{.metadata = metadata, .tensors = {}};
  std::set<std::string_view> names{"__metadata__"};
  std::uint64_t begin = 0;
  for (const TensorView& tensor : tensors) {
    if (!names.insert(tensor.name).second)
      throw std::invalid_argument(fmt::format("tensor '{}' can't be written twice", tensor.name));
    if (product(tensor.extents) != tensor.values.size())
      throw std::invalid_argument(fmt::format("tensor '{}' of {} has {} values", tensor.name,
                                              extents_text(tensor.extents), tensor.values.size()));
    const std::uint64_t end = begin + tensor.values.size_bytes();
    header.tensors.push_back({tensor.name, "F32", tensor.extents, begin, end});
    begin = end;
  }
  return header;
}

}  // namespace

std::string extents_text(std::span<const std::int64_t> extents) {
  return extents.empty() ? "scalar" : fmt::format("{}", fmt::join(extents, "x"));
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& file) : path_(file) {
  InputFile input(file);
  const std::uint64_t header_bytes = read_header_length(input);
  const std::uint64_t data_bytes = input.size() - 8 - header_bytes;
  std::string text(header_bytes, '\0');
  input.read_all(std::as_writable_bytes(std::span(text)));
  SafetensorsHeader header = parse_header(file, text, data_bytes);
  metadata_ = std::move(header.metadata);
  tensors_ = std::move(header.tensors);
  for (std::size_t i = 0; i < tensors_.size(); ++i) places_.emplace(tensors_[i].name, i);
  data_ = std::make_unique_for_overwrite<std::uint64_t[]>(data_bytes / 8 + 1);
  input.read_all(std::span(reinterpret_cast<std::byte*>(data_.get()), data_bytes));
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const TensorEntry& tensor : tensors_) names.push_back(tensor.name);
  return names;
}

const TensorEntry* SafetensorsFile::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &tensors_[place->second];
}

std::span<const float> SafetensorsFile::values(const TensorEntry& tensor) const {
  if (tensor.type != "F32")
    throw FormatError(
        path_, fmt::format("tensor '{}' is of type {}; only F32 can be used", tensor.name, tensor.type));
  if (tensor.begin % sizeof(float) != 0)
    throw FormatError(path_,
                      fmt::format("tensor '{}' begins at byte {} of the data, which is no multiple of 4",
                                  tensor.name, tensor.begin));
  const std::span<const std::byte> numbers = bytes(tensor);
  return {reinterpret_cast<const float*>(numbers.data()), numbers.size() / sizeof(float)};
}

std::span<const std::byte> SafetensorsFile::bytes(const TensorEntry& tensor) const {
  return {reinterpret_cast<const std::byte*>(data_.get()) + tensor.begin, tensor.end - tensor.begin};
}

TensorView SafetensorsFile::tensor(std::string_view name) const {
  const TensorEntry* entry = find(name);
  if (entry == nullptr) throw FormatError(path_, fmt::format("has no tensor '{}'", name));
  return {entry->name, entry->extents, values(*entry)};
}

void write_safetensors(const std::filesystem::path& file, const Metadata& metadata,
                       std::span<const TensorView> tensors) {
  const SafetensorsHeader header = make_header(metadata, tensors);
  std::string text;
  try {
    text = header_text(header);
  } catch (const nlohmann::json::exception&) {
    throw FormatError(file, "can't be written: a name or a text of its metadata is not UTF-8");
  }
  if (text.size() > kMostHeaderBytes)
    throw FormatError(file, "can't be written: its header would be over 100 MB");
  const auto length = std::bit_cast<std::array<char, 8>>(std::uint64_t{text.size()});
  AtomicFile output(file);
  output.write(std::string_view(length.data(), length.size()));
  output.write(text);
  for (const TensorView& tensor : tensors) output.write(tensor.values);
  output.commit();
}

}  // namespace cnn::formats
