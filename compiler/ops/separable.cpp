// The sizes and bands are those of runtime/cnn/ops/separable.hpp: generated code asserts that the scratch agrees.
#include "ops/separable.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/convolution.hpp"

namespace cnnc::ops {

namespace {

constexpr std::int64_t kPanelRows = 6, kPanelColumns = 16, kTileColumns = 12 * kPanelColumns;

std::int64_t pieces(std::int64_t count, std::int64_t piece) {
  return (count + piece - 1) / piece;
}
std::int64_t whole(std::int64_t count, std::int64_t piece) {
  return pieces(count, piece) * piece;
}
// cnn::right_panel_stride.
std::int64_t right_panel(std::int64_t depth) {
  return (depth + 1) * kPanelColumns;
}

// cnn::SeparableGeometry.
struct Geometry {
  ir::Shape in, hidden;
  std::int64_t out_channels;
  Window window;      // of the depthwise convolution
  bool expands;
  Window expansion = {};

  bool has_3x3_windows() const {
    const auto is = [](const WindowAxis& axis, std::int64_t size) {
      return axis.kernel == 3 && axis.pad == 1 && axis.dilation == 1 && (axis.stride == 1 || axis.stride == 2) && axis.out * axis.stride == size;
    };
    return expands && is(window.height, hidden.height) && is(window.width, hidden.width) && window.height.stride == window.width.stride;
  }
  std::int64_t phases() const { return has_3x3_windows() ? window.height.stride : 1; }
  std::int64_t depth() const { return in.channels * expansion.height.kernel * expansion.width.kernel; }
  std::int64_t hidden_rows(std::int64_t rows) const {
    const WindowAxis& h = window.height;
    if (rows == h.out) return hidden.height;
    return std::min((rows - 1) * h.stride + (h.kernel - 1) * h.dilation + 1, hidden.height);
  }
  std::vector<ir::GeometryField> fields() const {
    std::vector<ir::GeometryField> fields = {{"in_channels", in.channels},
                                             {"in_height", in.height},
                                             {"in_width", in.width},
                                             {"hidden_channels", hidden.channels},
                                             {"hidden_height", hidden.height},
                                             {"hidden_width", hidden.width},
                                             {"out_channels", out_channels},
                                             {"out_height", window.height.out},
                                             {"out_width", window.width.out},
                                             {"kernel_height", window.height.kernel},
                                             {"kernel_width", window.width.kernel},
                                             {"stride_height", window.height.stride},
                                             {"stride_width", window.width.stride},
                                             {"pad_top", window.height.pad},
                                             {"pad_left", window.width.pad},
                                             {"dilation_height", window.height.dilation},
                                             {"dilation_width", window.width.dilation},
                                             {"expands", expands}};
    if (!expands) return fields;
    fields.insert(fields.end(), {{"expansion_kernel_height", expansion.height.kernel},
                                 {"expansion_kernel_width", expansion.width.kernel},
                                 {"expansion_stride_height", expansion.height.stride},
                                 {"expansion_stride_width", expansion.width.stride},
                                 {"expansion_pad_top", expansion.height.pad},
                                 {"expansion_pad_left", expansion.width.pad},
                                 {"expansion_dilation_height", expansion.height.dilation},
                                 {"expansion_dilation_width", expansion.width.dilation}});
    return fields;
  }
};

// cnn::SeparableBands, and the scratch that follows from them.
class Bands {
 public:
  Bands(const Geometry& g, std::int64_t batch) : g_(g), rows_(g.window.height.out) {
    while (images_ < batch && fits(images_ + 1, rows_)) ++images_;
    while (rows_ > 1 && !fits(1, rows_)) --rows_;
    while (images_ > 1 && pieces(batch, images_) < kWanted && (images_ - 1) * g.window.height.out * g.window.width.out >= kFewColumns) --images_;
    in_image_ = pieces(g.window.height.out, rows_);
    rows_ = pieces(g.window.height.out, in_image_);
  }

  // How often a row of the hidden map is made.
  double repeated() const { return static_cast<double>(in_image_ * g_.hidden_rows(rows_)) / static_cast<double>(g_.hidden.height); }

  ir::ScratchSize scratch() const {
    const WindowAxis& h = g_.window.height;
    const WindowAxis& w = g_.window.width;
    const std::int64_t columns = output_panels() * kPanelColumns;
    const std::int64_t input = g_.expands ? hidden_panels() * right_panel(g_.depth()) : 0;
    std::vector<std::int64_t> parts = {chunk_floats(), sums()};
    if (g_.expands) {
      const std::int64_t room = whole(g_.hidden.width + 1 + kPanelColumns, kLine);
      const std::int64_t piece_floats = g_.expansion.height.kernel * g_.expansion.width.kernel * kTileColumns * 4;
      parts.insert(parts.end(), {piece_floats, input, hidden_panels() * kPanelColumns * kPanelRows + 2 * room});
    }
    if (g_.has_3x3_windows()) {
      parts.push_back(output_panels() * (4 * kPanelColumns + 2));
    } else {
      const auto reach = [](const WindowAxis& axis) { return axis.dilation * (axis.kernel - 1) / axis.stride; };
      const auto phases = [](const WindowAxis& axis) { return std::min(axis.stride, axis.dilation * (axis.kernel - 1) + 1); };
      parts.insert(parts.end(), {(rows_ + reach(h)) * (w.out + reach(w)) * phases(h) * phases(w) + kBeyond, columns + kBeyond});
    }
    std::int64_t floats = 0;
    for (const std::int64_t part : parts) floats += whole(part, kLine);
    return {.per_thread = floats, .shared = kWanted * input + kMostTasks * sums()};
  }

 private:
  static constexpr std::int64_t kWanted = 8, kMostTasks = 14, kFewColumns = 192, kBeyond = 8, kLine = 16;
  static constexpr std::int64_t kColumns = 1568, kInputFloats = 48 << 10, kSumFloats = 64 << 10, kChunkFloats = 36 << 10;

  bool fits(std::int64_t images, std::int64_t rows) const {
    const std::int64_t hidden = images * g_.hidden_rows(rows) * g_.hidden.width;
    const std::int64_t columns = images * rows * g_.window.width.out;
    return columns * g_.window.height.stride <= kColumns && (!g_.expands || hidden * g_.depth() <= kInputFloats) &&
           columns * g_.out_channels <= kSumFloats;
  }
  std::int64_t hidden_panels() const {
    if (g_.phases() == 1) return pieces(images_ * g_.hidden_rows(rows_) * g_.hidden.width, kPanelColumns);
    const std::int64_t row_before = rows_ < g_.window.height.out ? 1 : 0;
    const std::int64_t even = images_ * rows_ * g_.window.width.out, odd = images_ * (rows_ + row_before) * g_.window.width.out;
    return 2 * pieces(even, kPanelColumns) + 2 * pieces(odd, kPanelColumns);
  }
  std::int64_t output_panels() const { return pieces(images_ * rows_ * g_.window.width.out, kPanelColumns); }
  std::int64_t chunk_floats() const {
    const std::int64_t all = output_panels() * right_panel(whole(g_.hidden.channels, kPanelRows));
    const std::int64_t most = std::max(kChunkFloats, output_panels() * kPanelColumns * kPanelRows) + output_panels() * kPanelColumns;
    return std::min(all, most);
  }
  std::int64_t sums() const { return whole(g_.out_channels, kPanelRows) * output_panels() * kPanelColumns; }

  const Geometry& g_;
  std::int64_t images_ = 1, rows_, in_image_ = 1;
};

}  // namespace

std::optional<ir::JoinedKernel> separable_chain(std::span<const ir::JoinedLayer> links) {
  constexpr std::int64_t kMostTaps = 9;
  constexpr std::int64_t kNarrow = 64;   // output channels up to which sums wait for what a depthwise convolution stored
  constexpr double kMostRepeated = 1.3;
  constexpr std::int64_t kShallow = 64;  // depth up to which a kernel's taps are gathered, and not left to Winograd
  if (links.size() != 2 && links.size() != 3) return std::nullopt;
  const bool expands = links.size() == 3;
  const ir::JoinedLayer& first = links.front();
  const ir::OpContext& depthwise = *links[links.size() - 2].context;
  if (depthwise.block != 1 || depthwise.output.channels != depthwise.inputs[0].channels) return std::nullopt;
  if (!is_whole_convolution(links.back()) || !is_pointwise(links.back()) || (expands && !is_whole_convolution(first))) return std::nullopt;
  const Geometry g{.in = first.context->inputs[0],
                   .hidden = depthwise.inputs[0],
                   .out_channels = links.back().context->output.channels,
                   .window = std::get<Window>(window("dwconv", depthwise.inputs[0], depthwise.arguments)),
                   .expands = expands,
                   .expansion = expands ? convolution_window(first) : Window()};
  if (g.window.height.kernel * g.window.width.kernel > kMostTaps) return std::nullopt;
  if (expands && !is_pointwise(first) && g.depth() > kShallow) return std::nullopt;
  const Bands bands(g, depthwise.batch);
  if (expands ? bands.repeated() > kMostRepeated : g.out_channels > kNarrow) return std::nullopt;
  const ir::ScratchSize prepared = bands.scratch();
  ir::ScratchSize stored = prepared;
  stored.shared += whole(g.out_channels, kPanelRows) * g.hidden.channels + (expands ? whole(g.hidden.channels, kPanelRows) * g.depth() : 0);
  return ir::JoinedKernel{.function = expands ? "inverted_residual" : "separable",
                   .geometry_type = "SeparableGeometry",
                   .geometry = g.fields(),
                   .scratch_function = "separable_scratch",
                   .prepared_scratch_function = "separable_prepared_scratch",
                   .scratch = stored,
                   .prepared_scratch = prepared,
                   .reason = fmt::format("one kernel: the {} channels of the depthwise convolution stay in a cache", g.hidden.channels)};
}

}  // namespace cnnc::ops
