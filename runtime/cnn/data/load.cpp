// From files to rows: one function for each source of data.
#include <fmt/format.h>
#include <omp.h>
#include <zlib.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

#include "cnn/data/cifar10.hpp"
#include "cnn/data/dataset.hpp"
#include "cnn/data/idx.hpp"
#include "cnn/data/input_image.hpp"
#include "cnn/data/picture_set.hpp"
#include "formats/format_error.hpp"

namespace cnn {
namespace {

namespace fs = std::filesystem;
using formats::FormatError;

std::uint32_t add_checksum(std::uint32_t checksum, std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(crc32_z(checksum, bytes.data(), bytes.size()));
}

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Names go into weights files and JSON, which are UTF-8; lists and folders may be anything.
void require_text(const std::string& name, const fs::path& place) {
  try {
    nlohmann::json(name).dump();
  } catch (const nlohmann::json::type_error&) {
    throw FormatError(place, fmt::format("has the class '{}', whose name is not UTF-8", name));
  }
}

/// Does `work(index, workspace)` for 0 .. count - 1 on a team. What it throws first by index is thrown.
template <class Work>
void for_each_image(std::int64_t count, int threads, Work&& work) {
  std::vector<Workspace> workspaces(static_cast<std::size_t>(threads));
  std::int64_t failed = count;
  std::exception_ptr error;
#pragma omp parallel for schedule(dynamic, 8) num_threads(threads)
  for (std::int64_t index = 0; index < count; ++index) {
    std::int64_t limit;
#pragma omp atomic read
    limit = failed;
    if (index > limit) continue;
    try {
      work(index, workspaces[static_cast<std::size_t>(omp_get_thread_num())]);
    } catch (...) {
#pragma omp critical(cnn_image_failed)
      if (index < failed) {
#pragma omp atomic write
        failed = index;
        error = std::current_exception();
      }
    }
  }
  if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace

Dataset Dataset::load(const DataDescription& description, const fs::path& place, const ImageShape& input,
                      int outputs, std::uint64_t seed, const LoadOptions& options) {
  if (description.source == SourceKind::kNone)
    throw FormatError(place, "the spec names no source of data to read");
  Dataset data(description, place, input, options);
  switch (description.source) {
    case SourceKind::kNone:
    case SourceKind::kIdx:
      data.load_idx(place, outputs);
      break;
    case SourceKind::kCifar10:
      data.load_cifar10(place, outputs);
      break;
    case SourceKind::kFolder:
      data.load_pictures(read_picture_folder(place, description.class_names, outputs), place);
      break;
    case SourceKind::kList:
      data.load_pictures(read_picture_list(place, description.class_names, outputs), place.parent_path());
      break;
  }
  data.cut_parts(description, place, seed);
  return data;
}

void Dataset::prepare_all(const ImageShape& shape, std::span<const std::uint8_t> from,
                          std::uint8_t* to) const {
  if (!preparation_.changes_bytes()) {
    std::copy(from.begin(), from.end(), to);
    return;
  }
  const std::size_t before = image_bytes(shape), after = image_floats();
  for_each_image(static_cast<std::int64_t>(from.size() / before), threads_,
                 [&](std::int64_t index, Workspace& workspace) {
                   const auto image = static_cast<std::size_t>(index);
                   workspace.image.assign(shape, from.subspan(image * before, before));
                   preparation_.apply(workspace);
                   std::copy(workspace.image.bytes.begin(), workspace.image.bytes.end(), to + image * after);
                 });
}

void Dataset::load_idx(const fs::path& directory, int outputs) {
  load_idx_pair(directory, "train", outputs);
  load_idx_pair(directory, "t10k", outputs);
  set_parts(images_[0].count, 0, images_[1].count);
}

void Dataset::load_idx_pair(const fs::path& directory, const char* prefix, int outputs) {
  // Both files are found first, and labels are read first: what is cheap to see wrong is seen at once.
  const fs::path images_file = find_idx_file(directory, fmt::format("{}-images-idx3-ubyte", prefix));
  const fs::path labels_file = find_idx_file(directory, fmt::format("{}-labels-idx1-ubyte", prefix));
  const std::vector<std::uint8_t> labels = read_idx_labels(labels_file, outputs);
  load_idx_images(images_file);
  if (labels.size() != images_.back().count)
    throw FormatError(labels_file, fmt::format("has {} labels, but '{}' has {} images", labels.size(),
                                               images_file.filename().string(), images_.back().count));
  add_labels(labels);
  checksums_[1] = add_checksum(checksums_[1], labels);
  fingerprint_ = fmt::format("{:08x}{:08x}", checksums_[0], checksums_[1]);
}

void Dataset::load_idx_images(const fs::path& file) {
  read_idx_images(
      file, [&](const IdxImages& header, std::uint32_t first, std::span<const std::uint8_t> bytes) {
        const ImageShape shape{1, header.height, header.width};
        if (first == 0) {
          if (!images_.empty() && shape != idx_shape_)
            throw FormatError(file, fmt::format("its images are {}, but the training images are {}",
                                                shape_text(shape), shape_text(idx_shape_)));
          idx_shape_ = shape;
          require_input_shape(file, shape, preparation_, input_);
          images_.push_back(allocate(file, header.count));
        }
        checksums_[0] = add_checksum(checksums_[0], bytes);
        prepare_all(shape, bytes, images_.back().bytes.get() + first * image_floats());
      });
}

void Dataset::load_cifar10(const fs::path& directory, int outputs) {
  constexpr ImageShape kShape{3, 32, 32};
  const std::vector<fs::path> train = find_cifar10_files(directory, "data_batch");
  const std::vector<fs::path> test = find_cifar10_files(directory, "test_batch");
  if (train.empty())
    throw FormatError(directory, "has no file data_batch_*.bin; cifar10() reads CIFAR-10's binary version");
  require_input_shape(train.front(), kShape, preparation_, input_);
  const auto load_file = [&](const fs::path& file) {
    read_cifar10(file, outputs,
                 [&](std::uint32_t count, std::uint32_t first, std::span<const std::uint8_t> labels,
                     std::span<const std::uint8_t> bytes) {
                   if (first == 0) images_.push_back(allocate(file, count));
                   add_labels(labels);
                   checksums_[0] = add_checksum(checksums_[0], bytes);
                   checksums_[1] = add_checksum(checksums_[1], labels);
                   prepare_all(kShape, bytes, images_.back().bytes.get() + first * image_floats());
                 });
  };
  std::for_each(train.begin(), train.end(), load_file);
  const std::size_t training = labels_.size();
  std::for_each(test.begin(), test.end(), load_file);
  set_parts(training, 0, labels_.size() - training);
  fingerprint_ = fmt::format("{:08x}{:08x}", checksums_[0], checksums_[1]);
}

void Dataset::load_pictures(PictureSet set, const fs::path& place) {
  class_names_ = std::move(set.class_names);
  for (const std::string& name : class_names_) require_text(name, place);
  for (const auto& part : set.parts)
    for (const PictureFile& picture : part) {
      const std::string line =
          fmt::format("{}\n{}\n{}\n", picture.path.lexically_relative(place).generic_string(), picture.bytes,
                      class_names_[static_cast<std::size_t>(picture.label)]);
      checksums_[0] = add_checksum(checksums_[0], bytes_of(line));
      checksums_[1] = add_checksum(checksums_[1], bytes_of(std::to_string(picture.label)));
      files_.push_back(picture.path);
      labels_.push_back(picture.label);
    }
  fingerprint_ = fmt::format("{:08x}{:08x}", checksums_[0], checksums_[1]);
  set_parts(set.parts[0].size(), set.parts[1].size(), set.parts[2].size());
  if (files_.size() <= most_bytes_ / image_floats()) decode_all();
}

void Dataset::decode_all() {
  Images images = allocate(files_.front().parent_path(), files_.size());
  for_each_image(static_cast<std::int64_t>(files_.size()), threads_,
                 [&](std::int64_t index, Workspace& workspace) {
                   const auto row = static_cast<std::size_t>(index);
                   read_input_picture(files_[row], source_channels_, preparation_, input_, workspace);
                   std::copy(workspace.image.bytes.begin(), workspace.image.bytes.end(),
                             images.bytes.get() + row * image_floats());
                 });
  images_.push_back(std::move(images));
}

}  // namespace cnn
