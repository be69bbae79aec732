// A connection table by the whole convolution: its weights are spread over one with zeros, its gradients
// picked out.
#include "cnn/ops/connected_conv.hpp"

#include "cnn/ops/tiles.hpp"

namespace cnn {

namespace {

// The whole convolution's weights in the scratch, and the scratch that is left for it.
struct Whole {
  ConvGeometry geometry;
  Floats weight;
  Scratch scratch;

  Whole(const ConnectedConvGeometry& g, const Scratch& all)
      : geometry(g.whole()),
        weight(all.shared,
               static_cast<std::size_t>(g.out_channels) * static_cast<std::size_t>(geometry.depth())),
        scratch{all.shared + weight.size(), all.threads, all.per_thread} {}
};

// Calls visit(map of the whole's weights, map of the table's or -1) for each pair of channels, an output
// channel a tile.
template <class Visit>
void for_each_map(const ConnectedConvGeometry& g, Visit&& visit) {
  for_each_tile(g.out_channels, [&](int out) {
    int connection = g.connections_before(out);
    for (int in = 0; in < g.in_channels; ++in) {
      const bool connected = (g.inputs[out] >> in & 1u) != 0;
      visit(static_cast<std::ptrdiff_t>(out) * g.in_channels + in, connected ? connection++ : -1);
    }
  });
}

void spread(const Whole& whole, ConstFloats weight, const ConnectedConvGeometry& g) {
  const int taps = whole.geometry.taps();
  for_each_map(g, [&](std::ptrdiff_t map, int connection) {
    float* to = whole.weight.data() + map * taps;
    if (connection < 0)
      std::fill_n(to, taps, 0.0f);
    else
      std::copy_n(weight.data() + static_cast<std::ptrdiff_t>(connection) * taps, taps, to);
  });
}

}  // namespace

void connected_conv(Blocked output, ConstBlocked input, ConstFloats weight, ConstFloats bias,
                    const ConnectedConvGeometry& g, int batch, const Scratch& scratch) {
  const Whole whole(g, scratch);
  spread(whole, weight, g);
  conv(output, input, whole.weight, Epilogue().with_bias(bias), whole.geometry, batch, whole.scratch);
}

void connected_conv(Blocked output, ConstBlocked input, ConstFloats weight, const ConnectedConvGeometry& g,
                    int batch, const Scratch& scratch) {
  const Whole whole(g, scratch);
  spread(whole, weight, g);
  conv(output, input, whole.weight, {}, whole.geometry, batch, whole.scratch);
}

void connected_conv_backward_input(Blocked d_input, ConstBlocked d_output, ConstFloats weight,
                                   const ConnectedConvGeometry& g, int batch, const Scratch& scratch) {
  const Whole whole(g, scratch);
  spread(whole, weight, g);
  conv_backward_input(d_input, d_output, whole.weight, whole.geometry, batch, whole.scratch);
}

void connected_conv_backward_params(Floats d_weight, ConstBlocked d_output, ConstBlocked input,
                                    const ConnectedConvGeometry& g, int batch, const Scratch& scratch) {
  const Whole whole(g, scratch);
  conv_backward_params(whole.weight, d_output, input, whole.geometry, batch, whole.scratch);
  const int taps = whole.geometry.taps();
  for_each_map(g, [&](std::ptrdiff_t map, int connection) {
    if (connection < 0) return;
    std::copy_n(whole.weight.data() + map * taps, taps,
                d_weight.data() + static_cast<std::ptrdiff_t>(connection) * taps);
  });
}

void connected_conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, ConstBlocked input,
                                    const ConnectedConvGeometry& g, int batch, const Scratch& scratch) {
  connected_conv_backward_params(d_weight, d_output, input, g, batch, scratch);
  sum_channels(d_bias, d_output, {g.out_channels, g.out_height, g.out_width, g.block}, batch);
}

}  // namespace cnn
