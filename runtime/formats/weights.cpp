// Tells formats apart by their first bytes, and turns numbers of every float type into float32.
#include "formats/weights.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "formats/format_error.hpp"
#include "formats/input_file.hpp"
#include "formats/strided_tensor.hpp"

namespace cnn::formats {
namespace {

using Bytes = std::span<const std::byte>;

// ---------- which format ----------

bool has_at(Bytes bytes, std::size_t place, std::string_view text) {
  return bytes.size() >= place + text.size() &&
         std::memcmp(bytes.data() + place, text.data(), text.size()) == 0;
}

/// A safetensors file begins with 8 bytes of length and the '{' of its header.
bool is_safetensors(Bytes bytes) {
  return has_at(bytes, 8, "{");
}

/// What people are likely to try instead.
[[noreturn]] void refuse(const std::filesystem::path& file, Bytes bytes) {
  const char* kind = "is neither a safetensors file nor one of torch.save";
  if (bytes.empty()) kind = "is empty";
  if (has_at(bytes, 0, "\x89HDF"))
    kind = "is an HDF5 file, as Keras writes; save the weights as safetensors or with torch.save";
  if (has_at(bytes, 0, "\x1f\x8b")) kind = "is packed by gzip; unpack it first";
  if (has_at(bytes, 257, "ustar"))
    kind = "is a tar archive, as torch.save wrote before version 0.1.12; load and save it anew";
  if (has_at(bytes, 0, "\x93NUMPY")) kind = "is an array of NumPy's, without the names that weights have";
  if (has_at(bytes, 0, "\x80")) kind = "is a Python pickle, but not one of torch.save";
  throw FormatError(
      file, fmt::format("{}; weights are read from safetensors files and from those of torch.save", kind));
}

std::array<std::byte, 512> first_bytes(const std::filesystem::path& file, std::size_t& count) {
  std::array<std::byte, 512> bytes{};
  InputFile input(file);
  count = input.read(bytes);
  return bytes;
}

TensorList read_safetensors(const std::filesystem::path& path) {
  const auto file = std::make_shared<const SafetensorsFile>(path);
  TensorList list{
      .format = "safetensors", .metadata = file->metadata(), .tensors = {}, .notes = {}, .memory = file};
  for (const TensorEntry& entry : file->tensors()) {
    StridedTensor tensor{.described = {.name = entry.name, .type = entry.type, .extents = entry.extents}};
    tensor.storage = file->bytes(entry);
    tensor.described.count = *element_count(entry.extents);
    tensor.strides.resize(entry.extents.size());
    std::int64_t stride = 1;
    for (std::size_t i = entry.extents.size(); i > 0; --i) {
      tensor.strides[i - 1] = stride;
      if (__builtin_mul_overflow(stride, entry.extents[i - 1], &stride)) break;  // only where an extent is 0
    }
    list.tensors.push_back(std::move(tensor));
  }
  return list;
}

TensorList read_list(const std::filesystem::path& file) {
  std::size_t count = 0;
  const std::array<std::byte, 512> buffer = first_bytes(file, count);
  const Bytes bytes = Bytes(buffer).first(count);
  if (is_safetensors(bytes)) return read_safetensors(file);
  if (is_pytorch_archive(bytes)) return read_pytorch_archive(std::make_shared<const FileBytes>(file));
  if (is_pytorch_legacy(bytes)) return read_pytorch_legacy(std::make_shared<const FileBytes>(file));
  refuse(file, bytes);
}

void note_conversions(TensorList& list) {
  constexpr std::pair<const char*, const char*> kTypes[] = {
      {"F16", "float16"}, {"BF16", "bfloat16"}, {"F64", "float64"}};
  for (const auto& [type, name] : kTypes) {
    std::size_t count = 0;
    for (const StridedTensor& tensor : list.tensors) count += tensor.described.type == type;
    if (count > 0)
      list.notes.push_back(fmt::format("{} of its {} tensors are {}: they are read as float32", count,
                                       list.tensors.size(), name));
  }
}

// ---------- numbers ----------

/// IEEE 754's binary16, whose every value float32 has.
float from_half(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1f ? 0xff : exponent + 127 - 15;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <class Stored>
Stored load(const std::byte* place) {
  Stored value;
  std::memcpy(&value, place, sizeof value);
  return value;
}

/// Calls `take` with the place of each of the tensor's numbers, in row-major order.
template <class Take>
void for_each_number(const StridedTensor& tensor, std::size_t bytes, Take&& take) {
  const std::vector<std::int64_t>& extents = tensor.described.extents;
  std::vector<std::int64_t> index(extents.size(), 0);
  std::int64_t place = tensor.offset;
  for (std::int64_t n = 0; n < tensor.described.count; ++n) {
    take(tensor.storage.data() + static_cast<std::size_t>(place) * bytes);
    for (std::size_t i = extents.size(); i > 0; --i) {
      place += tensor.strides[i - 1];
      if (++index[i - 1] < extents[i - 1]) break;
      place -= tensor.strides[i - 1] * extents[i - 1];
      index[i - 1] = 0;
    }
  }
}

/// Calls `take` with each of the tensor's numbers as float32, in row-major order.
template <class Take>
void for_each_float(const StridedTensor& tensor, Take&& take) {
  const std::string& type = tensor.described.type;
  const auto visit = [&]<class Stored>(Stored, auto&& to_float) {
    for_each_number(tensor, sizeof(Stored),
                    [&](const std::byte* place) { take(to_float(load<Stored>(place))); });
  };
  if (type == "F32") {
    visit(float{}, [](float value) { return value; });
  } else if (type == "F16") {
    visit(std::uint16_t{}, from_half);
  } else if (type == "BF16") {
    visit(std::uint16_t{},
          [](std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); });
  } else {
    visit(double{}, [](double value) {
      // Too large a number becomes an infinity, which nobody lets pass; the cast alone would be undefined.
      const bool fits = std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max());
      return fits || std::isnan(value) ? static_cast<float>(value) : std::numeric_limits<float>::infinity();
    });
  }
}

/// The same, and throws FormatError where the tensor can't be used.
template <class Take>
void for_each_usable_float(const std::filesystem::path& file, const StridedTensor& tensor, Take&& take) {
  const StoredTensor& described = tensor.described;
  if (!described.is_float())
    throw FormatError(file, fmt::format("tensor '{}' is of type {}; only F32, F16, BF16 and F64 can be used",
                                        described.name, described.type));
  std::int64_t index = 0;
  for_each_float(tensor, [&](float value) {
    if (!std::isfinite(value)) {
      const char* found = std::isnan(value)         ? "NaN"
                          : described.type == "F64" ? "a number too large for float32"
                                                    : "an infinity";
      throw FormatError(file, fmt::format("tensor '{}' has {} as its number {}: such weights are of no use",
                                          described.name, found, index));
    }
    ++index;
    take(value);
  });
}

}  // namespace

FileBytes::FileBytes(const std::filesystem::path& file) : file_(file) {
  InputFile input(file);
  size_ = input.size();
  data_ = std::make_unique_for_overwrite<std::uint64_t[]>(size_ / 8 + 1);
  input.read_all(std::span(reinterpret_cast<std::byte*>(data_.get()), size_));
}

std::optional<std::int64_t> element_count(std::span<const std::int64_t> extents) {
  bool empty = false;
  for (const std::int64_t extent : extents) {
    if (extent < 0) return std::nullopt;
    empty |= extent == 0;
  }
  if (empty) return 0;
  std::int64_t count = 1;
  for (const std::int64_t extent : extents)
    if (__builtin_mul_overflow(count, extent, &count)) return std::nullopt;
  return count;
}

WeightsFile::WeightsFile(const std::filesystem::path& file)
    : path_(file), list_(std::make_unique<TensorList>(read_list(file))) {
  note_conversions(*list_);
  for (const StridedTensor& tensor : list_->tensors) tensors_.push_back(tensor.described);
}

WeightsFile::~WeightsFile() = default;
WeightsFile::WeightsFile(WeightsFile&&) noexcept = default;
WeightsFile& WeightsFile::operator=(WeightsFile&&) noexcept = default;

std::string_view WeightsFile::format() const {
  return list_->format;
}

const Metadata& WeightsFile::metadata() const {
  return list_->metadata;
}

const std::vector<std::string>& WeightsFile::notes() const {
  return list_->notes;
}

void WeightsFile::read(std::size_t index, std::span<float> values) const {
  const StridedTensor& tensor = list_->tensors.at(index);
  if (values.size() != static_cast<std::size_t>(tensor.described.count))
    throw std::invalid_argument(fmt::format("tensor '{}' has {} numbers, not {}", tensor.described.name,
                                            tensor.described.count, values.size()));
  float* next = values.data();
  for_each_usable_float(path_, tensor, [&](float value) { *next++ = value; });
}

void WeightsFile::check(std::size_t index) const {
  for_each_usable_float(path_, list_->tensors.at(index), [](float) {});
}

}  // namespace cnn::formats
