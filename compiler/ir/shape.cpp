// Text form of shapes.
#include "ir/shape.hpp"

#include <fmt/format.h>

namespace cnnc::ir {

std::string to_text(const Shape& shape) {
  if (shape.flat) return fmt::format("{}", shape.channels);
  return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

}  // namespace cnnc::ir
