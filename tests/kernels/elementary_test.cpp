// How accurate the vectors' exp and tanh are, in units of the last place.
#include "cnn/core/elementary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cnn::tests {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The largest error on a fine grid of both signs, in ulp of the true value.
template <class Approximate, class Exact>
double worst(Approximate&& approximate, Exact&& exact, double most) {
  double result = 0;
  for (double size = 1e-6; size < most; size *= 1.0001) {
    for (const auto x : {static_cast<float>(size), static_cast<float>(-size)}) {
      const double truth = exact(static_cast<double>(x));
      const auto rounded = static_cast<float>(std::abs(truth));
      const double unit = std::nextafter(rounded, kInfinity) - rounded;
      result = std::max(result, std::abs(approximate(x) - truth) / unit);
    }
  }
  return result;
}

}  // namespace

TEST(Elementary, ExponentialIsAccurate) {
  EXPECT_LT(worst(
                exponential, [](double x) { return std::exp(x); }, 87),
            2);
  EXPECT_EQ(exponential(0), 1);
}

TEST(Elementary, ExponentialAtTheEnds) {
  EXPECT_EQ(exponential(-88), 0);
  EXPECT_EQ(exponential(-kInfinity), 0);
  EXPECT_EQ(exponential(89), kInfinity);
  EXPECT_EQ(exponential(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(exponential(kNan)));
}

TEST(Elementary, HyperbolicTangentIsAccurate) {
  EXPECT_LT(worst(
                hyperbolic_tangent, [](double x) { return std::tanh(x); }, 50),
            2.5);
}

TEST(Elementary, HyperbolicTangentAtTheEnds) {
  EXPECT_EQ(hyperbolic_tangent(0), 0);
  EXPECT_EQ(hyperbolic_tangent(kInfinity), 1);
  EXPECT_EQ(hyperbolic_tangent(-kInfinity), -1);
  EXPECT_TRUE(std::isnan(hyperbolic_tangent(kNan)));
}

TEST(Elementary, ErrorFunctionIsAccurate) {
  double worst_difference = 0;
  for (int i = -600000; i <= 600000; ++i) {
    const float x = static_cast<float>(i) * 1e-5f;
    worst_difference = std::max(worst_difference, std::abs(error_function(x) - std::erf(static_cast<double>(x))));
  }
  EXPECT_LT(worst_difference, 2e-7);
}

TEST(Elementary, ErrorFunctionAtTheEnds) {
  EXPECT_EQ(error_function(0), 0);
  EXPECT_EQ(error_function(kInfinity), 1);
  EXPECT_EQ(error_function(-kInfinity), -1);
  EXPECT_TRUE(std::isnan(error_function(kNan)));
}

}  // namespace cnn::tests
