// A data set in memory: images as bytes, prepared once, in the three parts of a training.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cnn/core/types.hpp"
#include "cnn/data/prepare.hpp"
#include "cnn/network/description.hpp"

namespace cnn {

enum class Part { kTrain, kValidation, kTest };

/// Images of one shape with a label each.
class Dataset {
 public:
  /// Reads what `description` says from `directory`, resizes the images, and cuts the parts as `seed`
  /// decides. Throws formats::FormatError where files are missing or damaged, or the images are not of the
  /// shape `input` (channels, height, width), or labels reach `outputs`.
  static Dataset load(const DataDescription& description, const std::filesystem::path& directory,
                      const std::array<int, 3>& input, int outputs, std::uint64_t seed);

  /// Images in a part; 0 where there is no such part.
  std::int64_t size(Part part) const { return static_cast<std::int64_t>(rows(part).size()); }
  /// Floats of an image.
  std::size_t image_floats() const { return preparation_->bytes_after(); }
  /// The label of each image of a part.
  std::vector<int> labels(Part part) const;
  /// 16 hexadecimal digits that depend on every byte of the images and labels as they lie on the disk.
  const std::string& fingerprint() const { return fingerprint_; }

  /// Writes the images at places `order` of a part as [order.size()][channels][height][width] floats, divided
  /// by 255 and normalised, and their labels. Throws std::out_of_range for a place that the part does not
  /// have. Allocates nothing.
  void fill(Part part, std::span<const std::uint32_t> order, Floats images, std::span<int> labels) const;

 private:
  /// Places in all images.
  const std::vector<std::uint32_t>& rows(Part part) const { return rows_[static_cast<std::size_t>(part)]; }

  /// Images of one pair of files, as they are after resizing.
  struct Images {
    std::unique_ptr<std::uint8_t[]> bytes;  // [count][preparation_->bytes_after()]
    std::uint32_t count = 0;
  };
  Dataset() = default;
  Images load_idx(const DataDescription& description, const std::filesystem::path& directory,
                  const char* prefix, const std::array<int, 3>& input, int outputs);
  Images load_images(const DataDescription& description, const std::filesystem::path& file,
                     const std::array<int, 3>& input);
  void cut_parts(const DataDescription& description, const std::filesystem::path& directory,
                 std::uint64_t seed);

  std::optional<Preparation> preparation_;
  Images training_, test_;                          // by file: the parts are in rows_
  std::vector<std::uint8_t> labels_;                // of the training files' images, then the test files'
  std::array<std::vector<std::uint32_t>, 3> rows_;  // by part: places in labels_
  std::array<std::uint32_t, 2> checksums_{};        // of images and labels so far
  std::string fingerprint_;
};

}  // namespace cnn
