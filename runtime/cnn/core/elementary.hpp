// exp, tanh and erf without branches, so that the compiler makes vectors of loops over them. Accurate to 2 ulp, or
// as they say.
#pragma once

#include <bit>
#include <cstdint>

namespace cnn {

/// e^x for x below 88.3, above which it is infinite; results too small for a normal number are 0, and NaN
/// stays NaN.
inline float exponential(float x) {
  constexpr float kLeast = -87.3f;
  constexpr float kMost = 88.8f;
  constexpr float kRound = 0x1.8p23f;  // adding it leaves the nearest integer in the lowest bits
  float bounded = x < kLeast ? kLeast : x;
  bounded = bounded > kMost ? kMost : bounded;
  const float shifted = bounded * 1.44269504f + kRound;
  const float power = shifted - kRound;
  // ln 2 in two parts, the first with few enough bits that its product with `power` is exact.
  const float rest = (bounded - power * 0.693359375f) + power * 2.12194440e-4f;
  float series = 1.0f / 5040;
  series = series * rest + 1.0f / 720;
  series = series * rest + 1.0f / 120;
  series = series * rest + 1.0f / 24;
  series = series * rest + 1.0f / 6;
  series = series * rest + 0.5f;
  series = series * (rest * rest) + rest + 1;
  const auto exponent = (std::bit_cast<std::uint32_t>(shifted) + 127u) << 23;
  const float result = series * std::bit_cast<float>(exponent);
  return x < kLeast ? 0.0f : result;
}

/// tanh x = (e^2x - 1) / (e^2x + 1), with e^2x - 1 from a series for e^r - 1, so that nothing cancels near 0: to 2.5 ulp.
inline float hyperbolic_tangent(float x) {
  constexpr float kOne = 10;           // tanh rounds to 1 from here
  constexpr float kRound = 0x1.8p23f;  // as in exponential()
  const float size = x < 0 ? -x : x;
  const float bounded = size > kOne ? kOne : size;
  const float shifted = bounded * (2 * 1.44269504f) + kRound;
  const float power = shifted - kRound;
  const float rest = (2 * bounded - power * 0.693359375f) + power * 2.12194440e-4f;
  float series = 1.0f / 5040;
  series = series * rest + 1.0f / 720;
  series = series * rest + 1.0f / 120;
  series = series * rest + 1.0f / 24;
  series = series * rest + 1.0f / 6;
  series = series * rest + 0.5f;
  series = series * (rest * rest) + rest;
  const float scale = std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) + 127u) << 23);
  const float grown = series * scale + (scale - 1);
  const float result = grown / (grown + 2);
  return x < 0 ? -result : result;
}

/// erf x to about 1.3e-7: an odd series up to 1, and 1 - e^-f(x) with a fitted f = -log(1 - erf) beyond.
inline float error_function(float x) {
  constexpr float kNear = 1;
  constexpr float kOne = 4;  // erf rounds to 1 from here
  const float size = x < 0 ? -x : x;
  const float bounded = size > kOne ? kOne : size;
  float far = -1.855742927e-04f;
  far = far * bounded + 2.939610370e-03f;
  far = far * bounded + -2.180533168e-02f;
  far = far * bounded + 1.030373987e-01f;
  far = far * bounded + 6.382256405e-01f;
  far = far * bounded + 1.127040059e+00f;
  far = far * bounded + 3.537134132e-04f;
  far = 1 - exponential(-far);
  const float signed_far = x < 0 ? -far : far;
  const float near = size > kNear ? kNear : x;  // keeps the series finite where it is not taken
  const float square = near * near;
  float series = 7.889119802e-05f;
  series = series * square + -8.020841604e-04f;
  series = series * square + 5.189535409e-03f;
  series = series * square + -2.685444465e-02f;
  series = series * square + 1.128360018e-01f;
  series = series * square + -3.761262714e-01f;
  series = series * square + 1.128379166e+00f;
  return size < kNear ? series * near : signed_far;
}

}  // namespace cnn
