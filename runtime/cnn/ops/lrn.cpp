// Local response normalisation, some pixels of all channels at a time.
#include "cnn/ops/lrn.hpp"

#include <cmath>

#include "cnn/core/ahead.hpp"
#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

constexpr int kPiece = 128;  // pixels side by side, of one image or several
constexpr int kAhead = 2;    // channels from where a map is read to what is asked for: short stretches, which the processor does not see coming

// Pixels of all channels in a block: the first's place in a channel's row, and how many.
struct Piece {
  int block;
  std::ptrdiff_t begin;
  int count;
};

template <class Work>
void for_each_pixels(const LrnGeometry& g, int batch, Work&& work) {
  const std::ptrdiff_t pixels = static_cast<std::ptrdiff_t>(g.height) * g.width;
  const int pieces = static_cast<int>((pixels * g.block + kPiece - 1) / kPiece);
  for_each_tile(block_count(batch, g.block) * pieces, [&](int tile) {
    const int block = tile / pieces;
    const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(tile % pieces) * kPiece;
    const std::ptrdiff_t left = images_in_block(batch, g.block, block) * pixels - begin;
    if (left > 0) work(Piece{block, begin, static_cast<int>(std::min<std::ptrdiff_t>(left, kPiece))});
  });
}

std::ptrdiff_t row(const LrnGeometry& g) {
  return static_cast<std::ptrdiff_t>(g.block) * g.height * g.width;
}

// s = k + alpha / size * sum of squares over the channels around `channel`; `in` is the first channel's
// piece.
void scales(float* __restrict s, const float* __restrict in, const LrnGeometry& g, int channel, int count) {
  const int first = std::max(channel - g.size / 2, 0);
  const int last = std::min(channel + (g.size - 1) / 2, g.channels - 1);
  std::fill_n(s, count, 0.0f);
  for (int other = first; other <= last; ++other) {
    const float* __restrict x = in + other * row(g);
    for (int i = 0; i < count; ++i) s[i] += x[i] * x[i];
  }
  const float weight = g.alpha / static_cast<float>(g.size);
  for (int i = 0; i < count; ++i) s[i] = g.k + weight * s[i];
}

// powers = s^-beta; the usual exponent by roots, which vectors have.
void inverse_powers(float* __restrict powers, const float* __restrict s, float beta, int count) {
  if (beta == 0.75f) {
    for (int i = 0; i < count; ++i) {
      const float root = std::sqrt(s[i]);
      powers[i] = 1 / (root * std::sqrt(root));
    }
  } else {
    for (int i = 0; i < count; ++i) powers[i] = std::pow(s[i], -beta);
  }
}

}  // namespace

void lrn(Blocked output, ConstBlocked input, const LrnGeometry& g, int batch) {
  for_each_pixels(g, batch, [&](const Piece& piece) {
    const float* in = input.block(piece.block) + piece.begin;
    float* out = output.block(piece.block) + piece.begin;
    for (int channel = 0; channel < g.channels; ++channel) {
      float s[kPiece];
      float powers[kPiece];
      if (const int next = channel + (g.size - 1) / 2 + kAhead; next < g.channels) ask_for(in + next * row(g), piece.count);
      scales(s, in, g, channel, piece.count);
      inverse_powers(powers, s, g.beta, piece.count);
      const float* __restrict x = in + channel * row(g);
      float* __restrict y = out + channel * row(g);
      for (int i = 0; i < piece.count; ++i) y[i] = x[i] * powers[i];
    }
  });
}

void lrn_backward_input(Blocked d_input, ConstBlocked d_output, ConstBlocked input, const LrnGeometry& g,
                        int batch) {
  const float factor = 2 * g.alpha * g.beta / static_cast<float>(g.size);
  for_each_pixels(g, batch, [&](const Piece& piece) {
    const float* in = input.block(piece.block) + piece.begin;
    const float* d_out = d_output.block(piece.block) + piece.begin;
    float* d_in = d_input.block(piece.block) + piece.begin;
    float terms[kMostLrnChannels][kPiece];  // d_output * input / s^(beta + 1) of the last `size` channels
    for (int channel = -(g.size / 2); channel < g.channels; ++channel) {
      // First the channel that enters the sum; its own part of d_input is ready with it.
      const int entering = channel + g.size / 2;
      float* __restrict term = terms[entering % g.size];
      if (entering < g.channels) {
        float s[kPiece];
        float powers[kPiece];
        if (const int next = entering + kAhead; next < g.channels) {
          ask_for(d_out + next * row(g), piece.count);
          ask_for(d_in + next * row(g), piece.count);
        }
        if (const int next = entering + (g.size - 1) / 2 + kAhead; next < g.channels) ask_for(in + next * row(g), piece.count);
        scales(s, in, g, entering, piece.count);
        inverse_powers(powers, s, g.beta, piece.count);
        const float* __restrict x = in + entering * row(g);
        const float* __restrict dy = d_out + entering * row(g);
        float* __restrict dx = d_in + entering * row(g);
        for (int i = 0; i < piece.count; ++i) {
          dx[i] = dy[i] * powers[i];
          term[i] = dx[i] * x[i] / s[i];
        }
      }
      if (channel < 0) continue;
      float sum[kPiece] = {};
      const int last = std::min(entering, g.channels - 1);
      for (int other = std::max(channel - (g.size - 1) / 2, 0); other <= last; ++other) {
        for (int i = 0; i < piece.count; ++i) sum[i] += terms[other % g.size][i];
      }
      const float* __restrict x = in + channel * row(g);
      float* __restrict dx = d_in + channel * row(g);
      for (int i = 0; i < piece.count; ++i) dx[i] -= factor * x[i] * sum[i];
    }
  });
}

}  // namespace cnn
