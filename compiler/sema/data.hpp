// `data`: where images come from, how they are split and prepared.
#pragma once

#include <optional>

#include "ir/training.hpp"
#include "sema/models.hpp"

namespace cnnc::sema {

/// A data item that is well in itself, with the ranges that cross-checks point at.
struct DataFacts {
  ir::Data data;
  std::optional<std::int64_t> batch;
  Range classes_range;
  Range source_range;
  std::optional<Range> resize_range;
  std::optional<Range> normalize_range;
};

/// None where the item has a mistake.
std::optional<DataFacts> read_data(const syntax::DataItem& item, Range range, const FileScope& file);

}  // namespace cnnc::sema
