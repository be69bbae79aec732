// Every count in a header is held against the file's size before anything is made of it.
#include "cnn/data/idx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "cnn/data/byte_stream.hpp"
#include "formats/format_error.hpp"

namespace cnn {
namespace {

namespace fs = std::filesystem;
using formats::FormatError;

constexpr std::uint32_t kImagesMagic = 0x00000803, kLabelsMagic = 0x00000801;
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

std::uint32_t read_number(ByteStream& stream, const char* what) {
  std::array<std::uint8_t, 4> bytes{};
  const std::size_t count = stream.read(bytes);
  if (count < bytes.size())
    throw FormatError(stream.path(), fmt::format("is truncated: it ends before its {}", what));
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
         bytes[3];
}

void check_magic(ByteStream& stream, std::uint32_t expected, const char* content) {
  const std::uint32_t found = read_number(stream, "magic number");
  if (found == expected) return;
  std::string problem = fmt::format(
      "is not an IDX file of {}: its magic number is 0x{:08x}, expected 0x{:08x}", content, found, expected);
  if (found == kImagesMagic) problem += "; it holds images";
  if (found == kLabelsMagic) problem += "; it holds labels";
  throw FormatError(stream.path(), problem);
}

void check_size(const ByteStream& stream, std::uint64_t header_bytes, std::uint64_t data_bytes,
                const std::string& claim) {
  if (header_bytes + data_bytes > stream.most_bytes())
    throw FormatError(
        stream.path(),
        fmt::format("is truncated or damaged: its header claims {}, {} bytes, but it can't hold more than {}",
                    claim, data_bytes, stream.most_bytes() - std::min(header_bytes, stream.most_bytes())));
}

void check_end(ByteStream& stream, const std::string& claim) {
  std::array<std::uint8_t, 1> byte{};
  if (stream.read(byte) != 0)
    throw FormatError(stream.path(), fmt::format("has bytes after its end: its header claims {}", claim));
}

[[noreturn]] void fail_truncated(const ByteStream& stream, const std::string& claim, std::uint64_t found,
                                 std::uint64_t expected) {
  throw FormatError(stream.path(),
                    fmt::format("is truncated: its header claims {}, {} bytes, but only {} are there", claim,
                                expected, found));
}

IdxImages read_images_header(ByteStream& stream) {
  check_magic(stream, kImagesMagic, "images");
  const std::uint32_t count = read_number(stream, "number of images");
  const std::uint32_t height = read_number(stream, "images' height");
  const std::uint32_t width = read_number(stream, "images' width");
  if (count == 0) throw FormatError(stream.path(), "holds no images");
  constexpr std::uint32_t kMostPixels = 65'536;  // so that an image's bytes fit 32 bits
  if (height == 0 || width == 0 || height > kMostPixels || width > kMostPixels || count > 0x7fffffff)
    throw FormatError(stream.path(),
                      fmt::format("claims {} images of {}x{} pixels; sides from 1 to {} can be read", count,
                                  height, width, kMostPixels));
  return {count, static_cast<int>(height), static_cast<int>(width)};
}

}  // namespace

fs::path find_idx_file(const fs::path& directory, std::string_view name) {
  std::error_code error;
  const fs::path plain = directory / name, compressed = directory / (std::string(name) + ".gz");
  if (fs::exists(plain, error)) return plain;
  if (fs::exists(compressed, error)) return compressed;
  if (!fs::is_directory(directory, error))
    throw FormatError(directory, "is not a directory of IDX files: not found");
  throw FormatError(directory, fmt::format("has neither '{0}' nor '{0}.gz'", name));
}

IdxImages read_idx_images(const fs::path& file, const TakeImages& take) {
  ByteStream stream(file);
  const IdxImages header = read_images_header(stream);
  const std::string claim = fmt::format("{} images of {}x{}", header.count, header.height, header.width);
  const std::size_t image_bytes = header.image_bytes();
  // Below 2^31 * 2^32, which 64 bits hold.
  const std::uint64_t data_bytes = std::uint64_t{header.count} * image_bytes;
  check_size(stream, 16, data_bytes, claim);
  const std::size_t images_at_once =
      std::min<std::size_t>(std::max<std::size_t>(kPieceBytes / image_bytes, 1), header.count);
  std::vector<std::uint8_t> piece(images_at_once * image_bytes);
  for (std::uint32_t first = 0; first < header.count; first += static_cast<std::uint32_t>(images_at_once)) {
    const std::size_t images = std::min<std::size_t>(images_at_once, header.count - first);
    const auto bytes = std::span(piece).first(images * image_bytes);
    const std::size_t found = stream.read(bytes);
    if (found < bytes.size()) fail_truncated(stream, claim, first * image_bytes + found, data_bytes);
    if (images == header.count - first) check_end(stream, claim);
    take(header, first, bytes);
  }
  return header;
}

std::vector<std::uint8_t> read_idx_labels(const fs::path& file, int classes) {
  ByteStream stream(file);
  check_magic(stream, kLabelsMagic, "labels");
  const std::uint32_t count = read_number(stream, "number of labels");
  const std::string claim = fmt::format("{} labels", count);
  check_size(stream, 8, count, claim);
  std::vector<std::uint8_t> labels;
  while (labels.size() < count) {
    const std::size_t before = labels.size();
    const std::size_t wanted = std::min(kPieceBytes, count - before);
    labels.resize(before + wanted);
    const std::size_t found = stream.read(std::span(labels).subspan(before));
    if (found < wanted) fail_truncated(stream, claim, before + found, count);
  }
  check_end(stream, claim);
  const auto wrong =
      std::find_if(labels.begin(), labels.end(), [&](std::uint8_t label) { return label >= classes; });
  if (wrong != labels.end())
    throw FormatError(file, fmt::format("label {} (counting from 0) is {}, but the {} classes are 0 to {}",
                                        wrong - labels.begin(), *wrong, classes, classes - 1));
  return labels;
}

}  // namespace cnn
