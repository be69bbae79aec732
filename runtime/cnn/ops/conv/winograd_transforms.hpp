// The transforms of F(4x4, 3x3) and F(2x2, 5x5) on a vector of tiles, or of channels of a tile, at a time: the points 0, 1, -1,
// 2, -2 and infinity, as Lavin & Gray (2016) have them. Both have the same B; A and G are matrices of powers of the points,
// with as many columns as there are outputs and taps. F(2x2, 3x3) has the points 0, 1, -1 and infinity. For winograd's sources
// only.
#pragma once

#include "cnn/core/multiply_panels.hpp"
#include "cnn/ops/conv/winograd.hpp"

namespace cnn::winograd {

/// B^T d.
template <class V>
[[gnu::always_inline]] inline void transform_input(V (&to)[kInputs], const V (&d)[kInputs]) {
  const V even = d[4] - 4.0f * d[2];
  const V odd = d[3] - 4.0f * d[1];
  const V near = d[4] - d[2];
  const V far = 2.0f * (d[3] - d[1]);
  to[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = near + far;
  to[4] = near - far;
  to[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

template <class V>
[[gnu::always_inline]] inline void transform_input(V (&to)[kFewInputs], const V (&d)[kFewInputs]) {
  to[0] = d[0] - d[2];
  to[1] = d[1] + d[2];
  to[2] = d[2] - d[1];
  to[3] = d[1] - d[3];
}

/// A^T m.
template <class V>
[[gnu::always_inline]] inline void transform_output(V (&to)[4], const V (&m)[kInputs]) {
  const V sum = m[1] + m[2];
  const V difference = m[1] - m[2];
  const V far_sum = m[3] + m[4];
  const V far_difference = m[3] - m[4];
  to[0] = m[0] + sum + far_sum;
  to[1] = difference + 2.0f * far_difference;
  to[2] = sum + 4.0f * far_sum;
  to[3] = difference + 8.0f * far_difference + m[5];
}
template <class V>
[[gnu::always_inline]] inline void transform_output(V (&to)[2], const V (&m)[kInputs]) {
  to[0] = m[0] + (m[1] + m[2]) + (m[3] + m[4]);
  to[1] = (m[1] - m[2]) + 2.0f * (m[3] - m[4]) + m[5];
}

template <class V>
[[gnu::always_inline]] inline void transform_output(V (&to)[2], const V (&m)[kFewInputs]) {
  to[0] = m[0] + m[1] + m[2];
  to[1] = m[1] - m[2] - m[3];
}

/// A y, the adjoint of transform_output.
template <class V>
[[gnu::always_inline]] inline void transform_output_gradient(V (&to)[kInputs], const V (&y)[4]) {
  const V even = y[0] + y[2];
  const V odd = y[1] + y[3];
  const V far_even = y[0] + 4.0f * y[2];
  const V far_odd = 2.0f * y[1] + 8.0f * y[3];
  to[0] = y[0];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = far_even + far_odd;
  to[4] = far_even - far_odd;
  to[5] = y[3];
}
template <class V>
[[gnu::always_inline]] inline void transform_output_gradient(V (&to)[kInputs], const V (&y)[2]) {
  to[0] = y[0];
  to[1] = y[0] + y[1];
  to[2] = y[0] - y[1];
  to[3] = y[0] + 2.0f * y[1];
  to[4] = y[0] - 2.0f * y[1];
  to[5] = y[1];
}

/// G g.
template <class V>
[[gnu::always_inline]] inline void transform_weights(V (&to)[kInputs], const V (&g)[3]) {
  const V outer = (g[0] + g[2]) * (1 / 6.0f);
  const V middle = g[1] * (1 / 6.0f);
  const V far = g[0] * (1 / 24.0f) + g[2] * (1 / 6.0f);
  const V far_middle = g[1] * (1 / 12.0f);
  to[0] = g[0] * 0.25f;
  to[1] = -outer - middle;
  to[2] = middle - outer;
  to[3] = far + far_middle;
  to[4] = far - far_middle;
  to[5] = g[2];
}
template <class V>
[[gnu::always_inline]] inline void transform_weights(V (&to)[kInputs], const V (&g)[5]) {
  const V even = (g[0] + g[2] + g[4]) * (1 / 6.0f);
  const V odd = (g[1] + g[3]) * (1 / 6.0f);
  const V far_even = g[0] * (1 / 24.0f) + g[2] * (1 / 6.0f) + g[4] * (2 / 3.0f);
  const V far_odd = g[1] * (1 / 12.0f) + g[3] * (1 / 3.0f);
  to[0] = g[0] * 0.25f;
  to[1] = -even - odd;
  to[2] = odd - even;
  to[3] = far_even + far_odd;
  to[4] = far_even - far_odd;
  to[5] = g[4];
}

template <class V>
[[gnu::always_inline]] inline void transform_weights(V (&to)[kFewInputs], const V (&g)[3]) {
  const V outer = (g[0] + g[2]) * 0.5f;
  const V middle = g[1] * 0.5f;
  to[0] = g[0];
  to[1] = outer + middle;
  to[2] = outer - middle;
  to[3] = g[2];
}

/// G^T u, the adjoint of transform_weights.
template <class V>
[[gnu::always_inline]] inline void transform_weights_gradient(V (&to)[3], const V (&u)[kInputs]) {
  const V near = (u[1] + u[2]) * (1 / 6.0f);
  const V far = u[3] + u[4];
  to[0] = u[0] * 0.25f - near + far * (1 / 24.0f);
  to[1] = (u[2] - u[1]) * (1 / 6.0f) + (u[3] - u[4]) * (1 / 12.0f);
  to[2] = far * (1 / 6.0f) - near + u[5];
}
template <class V>
[[gnu::always_inline]] inline void transform_weights_gradient(V (&to)[5], const V (&u)[kInputs]) {
  const V near = (u[1] + u[2]) * (1 / 6.0f);
  const V near_odd = (u[2] - u[1]) * (1 / 6.0f);
  const V far = u[3] + u[4];
  const V far_odd = u[3] - u[4];
  to[0] = u[0] * 0.25f - near + far * (1 / 24.0f);
  to[1] = near_odd + far_odd * (1 / 12.0f);
  to[2] = far * (1 / 6.0f) - near;
  to[3] = near_odd + far_odd * (1 / 3.0f);
  to[4] = far * (2 / 3.0f) - near + u[5];
}

}  // namespace cnn::winograd
