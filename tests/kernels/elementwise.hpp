// What the tests of ops on single elements share.
#pragma once

#include "maps.hpp"

namespace cnn::tests {

inline constexpr MapGeometry kElementwiseShapes[] = {
    {1, 1, 1, 1}, {3, 7, 1, 1}, {13, 1, 1, 1}, {5, 13, 7, 1}, {70, 9, 9, 1}};

/// Calls check(geometry, batch) for shapes of all batchings; the largest shape spans several tiles.
template <class Check>
void for_each_map(Check&& check) {
  for (MapGeometry g : kElementwiseShapes) {
    for (const Batching& batching : kBatchings) {
      g.block = batching.block;
      SCOPED_TRACE(testing::Message() << g.channels << "x" << g.height << "x" << g.width << " NB " << g.block
                                      << " batch " << batching.batch);
      check(g, batching.batch);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

inline std::size_t size_of(const MapGeometry& g, int batch) {
  return static_cast<std::size_t>(g.elements() * batch);
}

/// forward(y, x, g, batch) equals `function` and works in place; backward(dx, dy, x, y, g, batch) equals
/// differences and may write over dy. Inputs are within `range` of 0.
template <class Forward, class Backward, class Function>
void check_elementwise(Forward&& forward, Backward&& backward, Function&& function, double tolerance,
                       double range = 4) {
  for_each_map([&](const MapGeometry& g, int batch) {
    Numbers numbers(8);
    const Doubles input = numbers.uniform(size_of(g, batch), -range, range);
    const Doubles d_output = numbers.uniform(size_of(g, batch));
    const Map x(g, batch, input);
    const Map dy(g, batch, d_output);
    Map y(g, batch);
    Map dx(g, batch);
    Map y_in_place(g, batch, input);
    Map dx_in_place(g, batch, d_output);
    on_team([&] {
      forward(y, x, g, batch);
      forward(y_in_place, y_in_place, g, batch);
      backward(dx, dy, x, y, g, batch);
      backward(dx_in_place, dx_in_place, x, y, g, batch);
    });
    ASSERT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
    Doubles expected = input;
    for (double& value : expected) value = function(value);
    expect_close(y.values(), expected, tolerance, "output");
    ASSERT_EQ(y.values(), y_in_place.values());
    ASSERT_EQ(dx.values(), dx_in_place.values());
    Doubles slopes = input;
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      slopes[i] = d_output[i] * (function(input[i] + 1e-5) - function(input[i] - 1e-5)) / 2e-5;
    }
    expect_close(dx.values(), slopes, 2e-6, "d_input", 1);
    double steepest = 0;
    for (const double slope : slopes) steepest = std::max(steepest, std::abs(slope));
    ASSERT_TRUE(steepest > 1e-3 || input.size() < 20) << "all gradients are zero, so nothing is checked";
  });
}

using Forward = void (*)(Blocked, ConstBlocked, const MapGeometry&, int);
using Backward = void (*)(Blocked, ConstBlocked, ConstBlocked, const MapGeometry&, int);

/// An activation without arguments whose backward pass takes its output.
inline void check_activation(Forward forward, Backward backward, double (*function)(double), double tolerance,
                             double range = 4) {
  const auto by_output = [&](Blocked dx, ConstBlocked dy, ConstBlocked, ConstBlocked y, const MapGeometry& g,
                             int batch) { backward(dx, dy, y, g, batch); };
  check_elementwise(forward, by_output, function, tolerance, range);
}

/// The same for one whose backward pass takes its input.
inline void check_input_activation(Forward forward, Backward backward, double (*function)(double),
                                   double tolerance) {
  const auto by_input = [&](Blocked dx, ConstBlocked dy, ConstBlocked x, ConstBlocked, const MapGeometry& g,
                            int batch) { backward(dx, dy, x, g, batch); };
  check_elementwise(forward, by_input, function, tolerance, 6);
}

}  // namespace cnn::tests
