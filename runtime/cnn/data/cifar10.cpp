// The files have no header: their size says how many records there are.
#include "cnn/data/cifar10.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "formats/format_error.hpp"
#include "formats/input_file.hpp"

namespace cnn {
namespace {

namespace fs = std::filesystem;
using formats::FormatError;

constexpr std::size_t kImageBytes = 3 * 32 * 32, kRecordBytes = kImageBytes + 1;
constexpr std::size_t kRecordsAtOnce = 1024;

}  // namespace

std::vector<fs::path> find_cifar10_files(const fs::path& directory, std::string_view prefix) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".bin")) files.push_back(entry.path());
  }
  if (error) throw FormatError(directory, fmt::format("can't be read as a folder: {}", error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

void read_cifar10(const fs::path& path, int classes, const TakeRecords& take) {
  formats::InputFile file(path);
  if (file.size() == 0 || file.size() % kRecordBytes != 0 || file.size() / kRecordBytes > 0x7fffffff)
    throw FormatError(
        path,
        fmt::format("is no CIFAR-10 file or truncated: its {} bytes are not a whole number of records of {}",
                    file.size(), kRecordBytes));
  const auto count = static_cast<std::uint32_t>(file.size() / kRecordBytes);
  std::vector<std::uint8_t> records(std::min<std::size_t>(kRecordsAtOnce, count) * kRecordBytes), labels,
      images;
  for (std::uint32_t first = 0; first < count; first += static_cast<std::uint32_t>(labels.size())) {
    const std::size_t here = std::min<std::size_t>(kRecordsAtOnce, count - first);
    file.read_all(std::as_writable_bytes(std::span(records).first(here * kRecordBytes)));
    labels.clear();
    images.clear();
    for (std::size_t i = 0; i < here; ++i) {
      const std::uint8_t* record = records.data() + i * kRecordBytes;
      if (record[0] >= classes)
        throw FormatError(
            path, fmt::format("label {} (counting from 0) is {}, but the {} classes are 0 to {}", first + i,
                              record[0], classes, classes - 1));
      labels.push_back(record[0]);
      images.insert(images.end(), record + 1, record + kRecordBytes);
    }
    take(count, first, labels, images);
  }
}

}  // namespace cnn
