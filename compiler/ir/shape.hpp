// Shapes of one image's tensor; the batch is never part of a shape.
#pragma once

#include <cstdint>
#include <string>

namespace cnnc::ir {

/// channels x height x width, or `channels` features where `flat` (height and width are 1 then).
struct Shape {
  std::int64_t channels = 0;
  std::int64_t height = 1;
  std::int64_t width = 1;
  bool flat = false;

  std::int64_t elements() const { return channels * height * width; }
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// "6x28x28", or "84" for a flat shape.
std::string to_text(const Shape& shape);

}  // namespace cnnc::ir
