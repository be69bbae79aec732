// `data`: where images come from, how they are split, prepared and augmented.
#pragma once

#include <optional>

#include "ir/training.hpp"
#include "sema/models.hpp"

namespace cnnc::sema {

/// What is known of the images after the transforms, and which line says so.
struct ImageFacts {
  std::int64_t channels = 0;
  Range channels_range;
  /// Height and width; none where they differ from image to image or only the files know.
  std::optional<std::pair<std::int64_t, std::int64_t>> size;
  std::optional<Range> size_range;
  bool sizes_differ = false;  // where nothing makes them alike
};

/// A data item that is well in itself, with the ranges that cross-checks point at.
struct DataFacts {
  ir::Data data;
  std::optional<std::int64_t> batch;
  Range classes_range;
  Range source_range;
  std::optional<Range> normalize_range;
  ImageFacts images;
  std::optional<ImageFacts> augmented;  // where augment { } is written: those of the training part
};

/// None where the item has a mistake.
std::optional<DataFacts> read_data(const syntax::DataItem& item, Range range, const FileScope& file);

/// Reads `prepare { }` or `augment { }` into the data, and what its transforms do to the images.
void read_transforms(const syntax::Transforms& transforms, const FileScope& file, DataFacts& facts);

}  // namespace cnnc::sema
