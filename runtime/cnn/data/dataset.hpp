// A data set: prepared images as bytes in memory, or pictures that are decoded when they are asked for, in
// the three parts of a training.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cnn/core/types.hpp"
#include "cnn/data/prepare.hpp"
#include "cnn/data/shuffle.hpp"
#include "cnn/network/description.hpp"

namespace cnn {

enum class Part { kTrain, kValidation, kTest };

struct PictureSet;

/// How data is read; no choice changes a result.
struct LoadOptions {
  int threads = 0;               // that decode and augment; 0: one a core
  std::uint64_t most_bytes = 0;  // of prepared pictures in memory; 0: a quarter of the machine's
};

/// Images of one shape with a label each.
class Dataset {
 public:
  /// Reads what `description` says from `place`, a folder or a list, prepares the images, and cuts the parts
  /// as `seed` decides. Throws formats::FormatError where files are missing or damaged, or the images are not
  /// of the shape `input` (channels, height, width), or the classes are not `outputs`.
  static Dataset load(const DataDescription& description, const std::filesystem::path& place,
                      const ImageShape& input, int outputs, std::uint64_t seed,
                      const LoadOptions& options = {});

  /// Images in a part; 0 where there is no such part.
  std::int64_t size(Part part) const { return static_cast<std::int64_t>(rows(part).size()); }
  /// Floats of an image.
  std::size_t image_floats() const { return image_bytes(input_); }
  /// The label of each image of a part.
  std::vector<int> labels(Part part) const;
  /// By label; empty where neither the spec nor the files name them.
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// 16 hexadecimal digits that depend on what lies on the disk: on every byte of an IDX or CIFAR-10 file, on
  /// name, size and class of every picture.
  const std::string& fingerprint() const { return fingerprint_; }
  /// How many threads filling a batch is worth: one where images only need copying.
  int filling_threads(bool augmented) const;

  /// Writes the images at places `order` of a part as [order.size()][channels][height][width] floats, divided
  /// by 255 and normalised, and their labels. With an `epoch`, those of the training part are augmented as it
  /// decides. Throws std::out_of_range for a place that the part does not have, FormatError for a picture
  /// that can't be read. Allocates nothing where the images are in memory, once the workspace has grown.
  void fill(Part part, std::span<const std::uint32_t> order, Floats images, std::span<int> labels,
            const Shuffle* epoch, Workspace& workspace) const;
  /// The same without augmentation.
  void fill(Part part, std::span<const std::uint32_t> order, Floats images, std::span<int> labels) const;

 private:
  /// Places in all images.
  const std::vector<std::uint32_t>& rows(Part part) const { return rows_[static_cast<std::size_t>(part)]; }

  /// Prepared images of one file.
  struct Images {
    std::unique_ptr<std::uint8_t[]> bytes;  // [count][image_floats()]
    std::uint32_t first = 0, count = 0;     // rows
  };
  Dataset(const DataDescription& description, const std::filesystem::path& place, const ImageShape& input,
          const LoadOptions& options);
  void load_idx(const std::filesystem::path& directory, int outputs);
  void load_idx_pair(const std::filesystem::path& directory, const char* prefix, int outputs);
  void load_idx_images(const std::filesystem::path& file);
  void load_cifar10(const std::filesystem::path& directory, int outputs);
  void load_pictures(PictureSet set, const std::filesystem::path& place);
  void decode_all();
  void prepare_all(const ImageShape& shape, std::span<const std::uint8_t> from, std::uint8_t* to) const;
  Images allocate(const std::filesystem::path& file, std::uint64_t count) const;
  void set_parts(std::size_t train, std::size_t validation, std::size_t test);
  void cut_parts(const DataDescription& description, const std::filesystem::path& place, std::uint64_t seed);
  void take_part(const SplitDescription& split, Part part, std::size_t of, const std::filesystem::path& place,
                 std::uint64_t seed);
  void add_labels(std::span<const std::uint8_t> labels) {
    labels_.insert(labels_.end(), labels.begin(), labels.end());
  }
  const std::uint8_t* stored(std::uint32_t row) const;

  ImageShape input_;
  Preparation preparation_;
  Augmentation augmentation_;
  int source_channels_;
  int threads_;
  std::uint64_t most_bytes_;
  ImageShape idx_shape_{};  // of the files, before anything is prepared
  std::vector<Images> images_;
  std::vector<std::filesystem::path> files_;  // by row, where images_ is empty
  std::vector<int> labels_;                   // by row
  std::vector<std::string> class_names_;
  std::array<std::vector<std::uint32_t>, 3> rows_;  // by part
  std::array<std::uint32_t, 2> checksums_{};        // of images and labels so far
  std::string fingerprint_;
};

}  // namespace cnn
