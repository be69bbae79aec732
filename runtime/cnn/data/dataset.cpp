// From files to bytes in memory, and from bytes to batches.
#include "cnn/data/dataset.hpp"

#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>
#include <zlib.h>

#include <cmath>
#include <new>
#include <numeric>
#include <stdexcept>

#include "cnn/data/idx.hpp"
#include "cnn/data/split.hpp"
#include "cnn/data/streams.hpp"
#include "formats/format_error.hpp"

namespace cnn {
namespace {

namespace fs = std::filesystem;
using formats::FormatError;

std::string shape_text(const std::array<int, 3>& shape) {
  return fmt::format("{}x{}x{}", shape[0], shape[1], shape[2]);
}

std::uint32_t add_checksum(std::uint32_t checksum, std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(crc32_z(checksum, bytes.data(), bytes.size()));
}

/// Makes the preparation for images as `file` has them and checks that the network can take what comes out.
Preparation make_preparation(const DataDescription& description, const fs::path& file,
                             const IdxImages& header, const std::array<int, 3>& input) {
  const std::array<int, 3> shape{1, header.height, header.width};
  try {
    Preparation preparation(description.prepare, shape);
    if (preparation.shape() == input) return preparation;
    std::string problem = fmt::format("its images are {}", shape_text(shape));
    if (preparation.resizes())
      problem += fmt::format(" and {} after prepare", shape_text(preparation.shape()));
    problem += fmt::format(", but the network takes {}", shape_text(input));
    if (input[0] == shape[0])
      problem += fmt::format("; prepare {{ resize({}x{}) }} makes them fit", input[1], input[2]);
    throw FormatError(file, problem);
  } catch (const std::invalid_argument& error) {
    throw FormatError(file, error.what());
  }
}

std::unique_ptr<std::uint8_t[]> allocate_images(const fs::path& file, std::uint32_t count,
                                                const Preparation& preparation) {
  const double bytes = static_cast<double>(count) * static_cast<double>(preparation.bytes_after());
  const double memory =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  const auto fail = [&] {
    throw FormatError(
        file, fmt::format("its {} images take {:.1f} GB of memory as {}; this machine has {:.1f} GB", count,
                          bytes / 1e9, shape_text(preparation.shape()), memory / 1e9));
  };
  if (bytes > memory) fail();
  try {
    // Not set to zero: memory is taken as images come, not as the header claims.
    return std::make_unique_for_overwrite<std::uint8_t[]>(count * preparation.bytes_after());
  } catch (const std::bad_alloc&) {
    fail();
    throw;
  }
}

/// Resizes images side by side; which thread does which makes no difference.
void resize_images(const Preparation& preparation, std::span<const std::uint8_t> from, std::uint8_t* to) {
  const std::size_t before = preparation.bytes_before(), after = preparation.bytes_after();
  const auto count = static_cast<std::int64_t>(from.size() / before);
  const int threads = omp_get_max_threads();
  const std::size_t scratch_bytes = preparation.scratch_bytes();
  std::vector<std::uint8_t> scratch(scratch_bytes * static_cast<std::size_t>(threads));
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t image = 0; image < count; ++image) {
    const auto place = static_cast<std::size_t>(image);
    const auto rank = static_cast<std::size_t>(omp_get_thread_num());
    preparation.resize(from.subspan(place * before, before), {to + place * after, after},
                       std::span(scratch).subspan(rank * scratch_bytes, scratch_bytes));
  }
}

/// How many of `images` a split takes.
std::size_t split_count(const SplitDescription& split, std::size_t images) {
  if (split.kind == SplitKind::kFraction)
    return static_cast<std::size_t>(std::llround(split.fraction * static_cast<double>(images)));
  return split.kind == SplitKind::kCount ? static_cast<std::size_t>(split.count) : 0;
}

}  // namespace

Dataset Dataset::load(const DataDescription& description, const fs::path& directory,
                      const std::array<int, 3>& input, int outputs, std::uint64_t seed) {
  if (description.source != SourceKind::kIdx)
    throw FormatError(directory, "the spec names no source of data to read");
  Dataset data;
  data.training_ = data.load_idx(description, directory, "train", input, outputs);
  data.test_ = data.load_idx(description, directory, "t10k", input, outputs);
  data.fingerprint_ = fmt::format("{:08x}{:08x}", data.checksums_[0], data.checksums_[1]);
  data.cut_parts(description, directory, seed);
  return data;
}

Dataset::Images Dataset::load_idx(const DataDescription& description, const fs::path& directory,
                                  const char* prefix, const std::array<int, 3>& input, int outputs) {
  // Both files are found first, and labels are read first: what is cheap to see wrong is seen at once.
  const fs::path images_file = find_idx_file(directory, fmt::format("{}-images-idx3-ubyte", prefix));
  const fs::path labels_file = find_idx_file(directory, fmt::format("{}-labels-idx1-ubyte", prefix));
  const std::vector<std::uint8_t> labels = read_idx_labels(labels_file, outputs);
  Images images = load_images(description, images_file, input);
  if (labels.size() != images.count)
    throw FormatError(labels_file, fmt::format("has {} labels, but '{}' has {} images", labels.size(),
                                               images_file.filename().string(), images.count));
  labels_.insert(labels_.end(), labels.begin(), labels.end());
  checksums_[1] = add_checksum(checksums_[1], labels);
  return images;
}

Dataset::Images Dataset::load_images(const DataDescription& description, const fs::path& file,
                                     const std::array<int, 3>& input) {
  Images images;
  const auto begin = [&](const IdxImages& header) {
    Preparation preparation = make_preparation(description, file, header, input);
    if (preparation_ && preparation_->shape_before() != preparation.shape_before())
      throw FormatError(file, fmt::format("its images are {}, but the training images are {}",
                                          shape_text(preparation.shape_before()),
                                          shape_text(preparation_->shape_before())));
    preparation_ = std::move(preparation);
    images.bytes = allocate_images(file, header.count, *preparation_);
    images.count = header.count;
  };
  read_idx_images(
      file, [&](const IdxImages& header, std::uint32_t first, std::span<const std::uint8_t> bytes) {
        if (first == 0) begin(header);
        checksums_[0] = add_checksum(checksums_[0], bytes);
        resize_images(*preparation_, bytes, images.bytes.get() + first * preparation_->bytes_after());
      });
  return images;
}

void Dataset::cut_parts(const DataDescription& description, const fs::path& directory, std::uint64_t seed) {
  const auto kind_takes = [](SplitKind kind) {
    return kind == SplitKind::kFraction || kind == SplitKind::kCount;
  };
  if (kind_takes(description.test.kind))
    throw FormatError(
        directory,
        "has a test part in files of its own, so the spec can't take one out of the training part");
  auto& [train, validation, test] = rows_;
  train.resize(training_.count);
  std::iota(train.begin(), train.end(), 0u);
  test.resize(test_.count);
  std::iota(test.begin(), test.end(), training_.count);
  if (description.validation.kind == SplitKind::kTest) validation = test;
  if (!kind_takes(description.validation.kind)) return;
  const std::size_t count = split_count(description.validation, train.size());
  if (count == 0 || count >= train.size())
    throw FormatError(
        directory, fmt::format("the spec's val= takes {} of the {} training images; that leaves none for {}",
                               count, train.size(), count == 0 ? "validation" : "training"));
  validation = take_stratified(train, labels_, count, seed, kValidationStream);
}

std::vector<int> Dataset::labels(Part part) const {
  std::vector<int> labels;
  for (const std::uint32_t row : rows(part)) labels.push_back(labels_[row]);
  return labels;
}

void Dataset::fill(Part part, std::span<const std::uint32_t> order, Floats images,
                   std::span<int> labels) const {
  const std::vector<std::uint32_t>& places = rows(part);
  const std::size_t bytes = preparation_->bytes_after();
  if (images.size() < order.size() * bytes || labels.size() < order.size())
    throw std::out_of_range("a batch has less room than images");
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] >= places.size())
      throw std::out_of_range(fmt::format("image {} of a part of {} images", order[i], places.size()));
    const std::uint32_t row = places[order[i]];
    const std::uint8_t* image = row < training_.count ? training_.bytes.get() + row * bytes
                                                      : test_.bytes.get() + (row - training_.count) * bytes;
    preparation_->normalize({image, bytes}, images.subspan(i * bytes, bytes));
    labels[i] = labels_[row];
  }
}

}  // namespace cnn
