// Products of maps, a plane at a time, or run by run where all inputs are whole.
#include "cnn/ops/mul.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// Inputs of a product, without the one that a gradient is for.
struct Factors {
  const ConstBlocked* whole[kMostFactors];
  const ConstBlocked* scale[kMostFactors];
  int wholes = 0, scales = 0;

  Factors(std::initializer_list<ConstBlocked> inputs, int without, const MulGeometry& g) {
    int number = 0;
    for (const ConstBlocked& input : inputs) {
      const int own = number++;
      if (own == without) continue;
      if (g.scales[own])
        scale[scales++] = &input;
      else
        whole[wholes++] = &input;
    }
  }

  float scale_at(int block, std::ptrdiff_t plane) const {
    float product = 1;
    for (int i = 0; i < scales; ++i) product *= scale[i]->block(block)[plane];
    return product;
  }
};

// Calls work(block, plane or -1, offset, count): planes where there are scales, else runs of any length.
template <class Work>
void for_each_part(const MulGeometry& g, bool scaled, int batch, Work&& work) {
  const MapGeometry map{g.channels, g.height, g.width, g.block};
  if (!scaled) {
    for_each_run(map, batch, [&](int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
      work(block, -1, offset, count);
    });
    return;
  }
  const std::ptrdiff_t pixels = map.pixels();
  for_each_map_plane(map, batch,
                     [&](int block, std::ptrdiff_t plane) { work(block, plane, plane * pixels, pixels); });
}

// out = scale * first * the whole factors from number `begin` on, at the same place.
void multiply(float* __restrict out, const float* __restrict first, float scale, const Factors& factors,
              int begin, int block, std::ptrdiff_t offset, std::ptrdiff_t count) {
  if (begin == factors.wholes) {
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = scale * first[i];
    return;
  }
  const float* __restrict second = factors.whole[begin]->block(block) + offset;
  for (std::ptrdiff_t i = 0; i < count; ++i) out[i] = scale * first[i] * second[i];
  for (int other = begin + 1; other < factors.wholes; ++other) {
    const float* __restrict next = factors.whole[other]->block(block) + offset;
    for (std::ptrdiff_t i = 0; i < count; ++i) out[i] *= next[i];
  }
}

}  // namespace

void mul(Blocked output, std::initializer_list<ConstBlocked> inputs, const MulGeometry& g, int batch) {
  const Factors factors(inputs, -1, g);
  for_each_part(g, factors.scales > 0, batch,
                [&](int block, std::ptrdiff_t plane, std::ptrdiff_t offset, std::ptrdiff_t count) {
                  const float scale = plane < 0 ? 1 : factors.scale_at(block, plane);
                  multiply(output.block(block) + offset, factors.whole[0]->block(block) + offset, scale,
                           factors, 1, block, offset, count);
                });
}

void mul_backward_input(Blocked d_input, ConstBlocked d_output, std::initializer_list<ConstBlocked> inputs,
                        int input, const MulGeometry& g, int batch) {
  const Factors factors(inputs, input, g);
  if (!g.scales[input]) {
    for_each_part(g, factors.scales > 0, batch,
                  [&](int block, std::ptrdiff_t plane, std::ptrdiff_t offset, std::ptrdiff_t count) {
                    const float scale = plane < 0 ? 1 : factors.scale_at(block, plane);
                    multiply(d_input.block(block) + offset, d_output.block(block) + offset, scale, factors, 0,
                             block, offset, count);
                  });
    return;
  }
  for_each_part(g, true, batch,
                [&](int block, std::ptrdiff_t plane, std::ptrdiff_t offset, std::ptrdiff_t count) {
                  const float* d_out = d_output.block(block) + offset;
                  const double sum = sum_terms(count, [&](std::ptrdiff_t i) {
                    float product = d_out[i];
                    for (int other = 0; other < factors.wholes; ++other)
                      product *= factors.whole[other]->block(block)[offset + i];
                    return product;
                  });
                  d_input.block(block)[plane] =
                      static_cast<float>(sum * static_cast<double>(factors.scale_at(block, plane)));
                });
}

}  // namespace cnn
