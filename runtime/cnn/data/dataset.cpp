// Where rows are and what becomes of them: memory, parts, batches.
#include "cnn/data/dataset.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "cnn/data/input_image.hpp"
#include "cnn/data/split.hpp"
#include "cnn/data/streams.hpp"
#include "formats/format_error.hpp"

namespace cnn {
namespace {

namespace fs = std::filesystem;
using formats::FormatError;

std::uint64_t machine_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// How many of `images` a split takes.
std::size_t split_count(const SplitDescription& split, std::size_t images) {
  if (split.kind == SplitKind::kFraction)
    return static_cast<std::size_t>(std::llround(split.fraction * static_cast<double>(images)));
  return split.kind == SplitKind::kCount ? static_cast<std::size_t>(split.count) : 0;
}

bool takes(const SplitDescription& split) {
  return split.kind == SplitKind::kFraction || split.kind == SplitKind::kCount;
}

}  // namespace

Dataset::Dataset(const DataDescription& description, const fs::path& place, const ImageShape& input,
                 const LoadOptions& options)
    : input_(input),
      preparation_(make_preparation(description, place, input)),
      augmentation_(description.augment),
      source_channels_(source_channels(description, input)),
      threads_(options.threads > 0 ? options.threads
                                   : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))),
      most_bytes_(options.most_bytes > 0 ? options.most_bytes : machine_bytes() / 4),
      class_names_(description.class_names.begin(), description.class_names.end()) {}

int Dataset::filling_threads(bool augmented) const {
  return !files_.empty() && images_.empty() ? threads_ : augmented && !augmentation_.empty() ? threads_ : 1;
}

Dataset::Images Dataset::allocate(const fs::path& file, std::uint64_t count) const {
  const double bytes = static_cast<double>(count) * static_cast<double>(image_floats());
  const auto fail = [&] {
    throw FormatError(
        file, fmt::format("its {} images take {:.1f} GB of memory as {}; this machine has {:.1f} GB", count,
                          bytes / 1e9, shape_text(input_), static_cast<double>(machine_bytes()) / 1e9));
  };
  if (bytes > static_cast<double>(machine_bytes())) fail();
  Images images{.bytes = nullptr,
                .first = images_.empty() ? 0 : images_.back().first + images_.back().count,
                .count = static_cast<std::uint32_t>(count)};
  try {
    // Not set to zero: memory is taken as images come, not as the header claims.
    images.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(count * image_floats());
  } catch (const std::bad_alloc&) {
    fail();
  }
  return images;
}

void Dataset::set_parts(std::size_t train, std::size_t validation, std::size_t test) {
  std::uint32_t first = 0;
  const std::array<std::size_t, 3> sizes{train, validation, test};
  for (std::size_t part = 0; part < rows_.size(); ++part) {
    rows_[part].resize(sizes[part]);
    std::iota(rows_[part].begin(), rows_[part].end(), first);
    first += static_cast<std::uint32_t>(sizes[part]);
  }
}

void Dataset::take_part(const SplitDescription& split, Part part, std::size_t of, const fs::path& place,
                        std::uint64_t seed) {
  if (!takes(split)) return;
  const bool is_test = part == Part::kTest;
  if (size(part) > 0)
    throw FormatError(place,
                      fmt::format("has a {} part in files of its own, so the spec can't take one out of "
                                  "the training part",
                                  is_test ? "test" : "validation"));
  std::vector<std::uint32_t>& train = rows_[static_cast<std::size_t>(Part::kTrain)];
  const std::size_t count = split_count(split, of);
  if (count == 0 || count >= train.size())
    throw FormatError(
        place, fmt::format("the spec's {}= takes {} of the {} training images; that leaves none for {}",
                           is_test ? "test" : "val", count, train.size(),
                           count > 0 ? "training"
                           : is_test ? "test"
                                     : "validation"));
  rows_[static_cast<std::size_t>(part)] =
      take_stratified(train, labels_, count, seed, is_test ? kTestStream : kValidationStream);
}

void Dataset::cut_parts(const DataDescription& description, const fs::path& place, std::uint64_t seed) {
  const std::size_t training = rows(Part::kTrain).size();  // fractions are of all of it
  take_part(description.test, Part::kTest, training, place, seed);
  if (description.validation.kind == SplitKind::kTest) {
    if (size(Part::kValidation) > 0)
      throw FormatError(place, "has a validation part in files of its own, so val=test can't be");
    if (size(Part::kTest) == 0) throw FormatError(place, "has no test part for val=test");
    rows_[static_cast<std::size_t>(Part::kValidation)] = rows(Part::kTest);
  }
  take_part(description.validation, Part::kValidation, training, place, seed);
}

std::vector<int> Dataset::labels(Part part) const {
  std::vector<int> labels;
  for (const std::uint32_t row : rows(part)) labels.push_back(labels_[row]);
  return labels;
}

const std::uint8_t* Dataset::stored(std::uint32_t row) const {
  for (const Images& images : images_)
    if (row - images.first < images.count) return images.bytes.get() + (row - images.first) * image_floats();
  return nullptr;
}

void Dataset::fill(Part part, std::span<const std::uint32_t> order, Floats images, std::span<int> labels,
                   const Shuffle* epoch, Workspace& workspace) const {
  const std::vector<std::uint32_t>& places = rows(part);
  const std::size_t bytes = image_floats();
  const bool augments = epoch != nullptr && part == Part::kTrain && !augmentation_.empty();
  if (images.size() < order.size() * bytes || labels.size() < order.size())
    throw std::out_of_range("a batch has less room than images");
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] >= places.size())
      throw std::out_of_range(fmt::format("image {} of a part of {} images", order[i], places.size()));
    const std::uint32_t row = places[order[i]];
    const std::uint8_t* image = stored(row);
    if (image == nullptr) {
      read_input_picture(files_[row], source_channels_, preparation_, input_, workspace);
    } else if (augments) {
      workspace.image.assign(input_, {image, bytes});
    }
    if (augments) augmentation_.apply({epoch->seed, epoch->epoch, row}, workspace);
    if (augments || image == nullptr) image = workspace.image.bytes.data();
    preparation_.normalize({image, bytes}, images.subspan(i * bytes, bytes));
    labels[i] = labels_[row];
  }
}

void Dataset::fill(Part part, std::span<const std::uint32_t> order, Floats images,
                   std::span<int> labels) const {
  Workspace workspace;
  fill(part, order, images, labels, nullptr, workspace);
}

}  // namespace cnn
