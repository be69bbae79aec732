#include "ops/conv_costs.hpp"

#include <algorithm>

#include "ops/conv_shape.hpp"

namespace cnnc::ops {

using ir::OpContext;
using ir::Pass;

namespace {

// How much longer work takes that is cut into so many tasks than if all threads always had some.
double cut_into(std::int64_t tasks) {
  return 1 + 1 / static_cast<double>(std::max<std::int64_t>(tasks, 1));
}

// Cycles of the innermost loops: six vectors of products a step, and a start.
double products(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  const auto calls = static_cast<double>(pieces(rows, kPanelRows) * pieces(columns, kPanelColumns));
  return calls * (6.5 * static_cast<double>(depth) + 30.0 * static_cast<double>(pieces(depth, kDepth)));
}

// Of a forward pass's weights.
double packing(const OpContext& context) {
  const ConvShape s(context);
  return context.prepared ? 0 : static_cast<double>(s.out * s.depth());
}

}  // namespace

double packed_cost(const OpContext& context, Pass pass) {
  const ConvShape s(context);
  const std::int64_t batch = context.batch;
  const auto columns = static_cast<double>(s.pixels() * batch);
  const auto weights = static_cast<double>(s.out * s.depth());
  switch (pass) {
    case Pass::kForward: {
      // Taps of a long row's columns share what they load (cnn::ColumnRows).
      const double gathering = s.taps > 1 && s.width.out >= 48 ? 0.3 : 1;
      return cut_into(kWanted) *
             (products(s.out, s.pixels() * batch, s.depth()) + gathering * columns * static_cast<double>(s.depth()) + weights + packing(context));
    }
    case Pass::kBackwardInput:
      return products(s.in, s.pixels() * batch, s.out * s.taps) + columns * static_cast<double>(s.out * s.taps) + 2 * weights;
    case Pass::kBackwardParams:
    case Pass::kBackward: break;
  }
  return products(s.out, s.depth(), s.pixels() * batch) + 1.5 * columns * static_cast<double>(s.depth());
}

// Each place of a tile is a product of vectors a step for sixteen output channels; fewer than four wait for each other's sums.
double direct_cost(const OpContext& context) {
  constexpr std::int64_t kPlaces = 7, kFewest = 4, kPanel = 16, kSteps = 128;
  const ConvShape s(context);
  const std::int64_t row = s.pointwise() ? s.pixels() : s.width.out, rows = s.pointwise() ? 1 : s.height.out;
  const std::int64_t places = std::max(row, pieces(row, kPlaces) * kFewest) * rows * context.batch;
  const auto outputs = static_cast<double>(places * whole(s.out, kPanel));
  // A single panel of weights needs a load for each product.
  const double product = s.out > kPanel ? 1.07 : 1.4;
  const auto products = outputs / kPanel * (product * static_cast<double>(s.depth()) + 2.0 * static_cast<double>(pieces(s.depth(), kSteps)));
  const bool copies = !s.pointwise() || context.mapped;
  const double copied = copies ? static_cast<double>(s.in * s.in_height * s.in_width * context.batch) : 0;
  return cut_into(kWanted) * (products + 0.5 * outputs + copied + packing(context));
}

// A transform of a tile's channel costs about as many cycles as it moves vectors, most of which miss the first cache.
double winograd_cost(const OpContext& context, Pass pass, std::int64_t inputs) {
  const ConvShape s(context);
  const std::int64_t batch = context.batch;
  constexpr double kInput = 60.0 / kPoints, kOutput = 90.0 / kPoints, kWeights = 60.0 / kPoints;  // for each point
  const std::int64_t in = pass == Pass::kBackwardInput ? s.out : s.in;
  const std::int64_t out = pass == Pass::kBackwardInput ? s.in : s.out;
  const std::int64_t height = pass == Pass::kBackwardInput ? s.in_height : s.height.out;
  const std::int64_t width = pass == Pass::kBackwardInput ? s.in_width : s.width.out;
  const std::int64_t tiles = tiles_of(height, width, inputs + 1 - s.height.kernel) * batch;
  const double transforms = static_cast<double>(tiles) * (kInput * static_cast<double>(in) + kOutput * static_cast<double>(out)) +
                            kWeights * static_cast<double>(in * out);
  const double multiply = pass == Pass::kBackwardParams ? products(out, in, tiles) : products(out, tiles, in);
  const double cycles = static_cast<double>(inputs * inputs) * (multiply + transforms);
  return pass == Pass::kForward ? cut_into(WinogradBlocks(in, out, tiles).tasks()) * cycles : cycles;
}

}  // namespace cnnc::ops
