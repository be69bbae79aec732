// The sizes and bands are those of runtime/cnn/ops/separable.hpp: generated code asserts that the scratch agrees.
#include "ops/separable.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/window.hpp"

namespace cnnc::ops {

namespace {

constexpr std::int64_t kPanelRows = 6, kPanelColumns = 16, kDepth = 256;

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
  std::int64_t in_channels, in_height, in_width, hidden_channels, out_channels;
  Window window;  // of the depthwise convolution
  bool expands;

  std::int64_t input_rows(std::int64_t rows) const {
    const WindowAxis& h = window.height;
    return std::min((rows - 1) * h.stride + (h.kernel - 1) * h.dilation + 1, in_height);
  }
  std::vector<ir::GeometryField> fields() const {
    return {{"in_channels", in_channels},
            {"in_height", in_height},
            {"in_width", in_width},
            {"hidden_channels", hidden_channels},
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
  }
};

// cnn::SeparableBands, and the scratch that follows from them.
class Bands {
 public:
  Bands(const Geometry& g, std::int64_t batch) : g_(g), rows_(g.window.height.out) {
    while (images_ < batch && fits(images_ + 1, rows_)) ++images_;
    while (rows_ > 1 && !fits(1, rows_)) --rows_;
    in_image_ = pieces(g.window.height.out, rows_);
    rows_ = pieces(g.window.height.out, in_image_);
  }

  // How often a row of the input is read, and expanded.
  double repeated() const { return static_cast<double>(in_image_ * g_.input_rows(rows_)) / static_cast<double>(g_.in_height); }

  ir::ScratchSize scratch() const {
    const WindowAxis& h = g_.window.height;
    const WindowAxis& w = g_.window.width;
    const auto reach = [](const WindowAxis& axis) { return axis.dilation * (axis.kernel - 1) / axis.stride; };
    const auto phases = [](const WindowAxis& axis) { return std::min(axis.stride, axis.dilation * (axis.kernel - 1) + 1); };
    const std::int64_t phase_floats = (rows_ + reach(h)) * (w.out + reach(w)) * phases(h) * phases(w);
    const std::int64_t input = g_.expands ? input_panels() * right_panel(g_.in_channels) : 0;
    const std::int64_t planes = g_.expands ? input_panels() * kPanelColumns * kPanelRows : 0;
    const std::int64_t columns = std::max(output_panels(), g_.expands ? input_panels() : 0) * kPanelColumns;
    std::int64_t floats = 0;
    for (const std::int64_t part : {input, planes, phase_floats + kBeyond, columns + kBeyond, chunk_floats(), sums()}) floats += whole(part, 16);
    return {.per_thread = floats, .shared = kWanted * input + kMostTasks * sums()};
  }

 private:
  static constexpr std::int64_t kWanted = 8, kMostTasks = 14, kBeyond = 8;
  static constexpr std::int64_t kColumns = 784, kInputFloats = 40 << 10, kSumFloats = 64 << 10, kChunkFloats = 36 << 10;

  bool fits(std::int64_t images, std::int64_t rows) const {
    const std::int64_t input = images * g_.input_rows(rows) * g_.in_width;
    const std::int64_t columns = images * rows * g_.window.width.out;
    return columns * g_.window.height.stride <= kColumns && (!g_.expands || input * g_.in_channels <= kInputFloats) &&
           columns * g_.out_channels <= kSumFloats;
  }
  std::int64_t input_panels() const { return pieces(images_ * g_.input_rows(rows_) * g_.in_width, kPanelColumns); }
  std::int64_t output_panels() const { return pieces(images_ * rows_ * g_.window.width.out, kPanelColumns); }
  std::int64_t chunk_floats() const {
    const std::int64_t all = output_panels() * right_panel(whole(g_.hidden_channels, kPanelRows));
    const std::int64_t most = std::max(kChunkFloats, output_panels() * kPanelColumns * kPanelRows) + output_panels() * kPanelColumns;
    return std::min(all, most);
  }
  std::int64_t sums() const { return whole(g_.out_channels, kPanelRows) * output_panels() * kPanelColumns; }

  const Geometry& g_;
  std::int64_t images_ = 1, rows_, in_image_ = 1;
};

std::int64_t integer(const std::vector<ir::GeometryField>& fields, std::string_view name) {
  return std::get<std::int64_t>(std::ranges::find(fields, name, &ir::GeometryField::name)->value);
}

bool is_pointwise(const ir::ChainLink& link) {
  if (link.op->geometry_type != "ConvGeometry" || link.op->training.forward.prepare.function.empty()) return false;
  const auto fields = link.op->geometry(*link.context);
  const auto all_are = [&](std::int64_t value, auto... names) { return ((integer(fields, names) == value) && ...); };
  return all_are(1, "kernel_height", "kernel_width", "stride_height", "stride_width", "groups", "block") && all_are(0, "pad_top", "pad_left") &&
         link.context->output.elements() / link.context->output.channels == link.context->inputs[0].elements() / link.context->inputs[0].channels;
}

}  // namespace

std::optional<ir::Chain> separable_chain(std::span<const ir::ChainLink> links) {
  constexpr std::int64_t kMostTaps = 9;
  constexpr std::int64_t kNarrow = 64;   // output channels up to which sums wait for what a depthwise convolution stored
  constexpr double kMostRepeated = 1.3;
  if (links.size() != 2 && links.size() != 3) return std::nullopt;
  const bool expands = links.size() == 3;
  const ir::OpContext& depthwise = *links[links.size() - 2].context;
  const ir::Shape& in = depthwise.inputs[0];
  if (!is_pointwise(links.back()) || (expands && !is_pointwise(links.front()))) return std::nullopt;
  if (depthwise.block != 1 || depthwise.output.channels != in.channels) return std::nullopt;
  const Geometry g{.in_channels = links.front().context->inputs[0].channels,
                   .in_height = in.height,
                   .in_width = in.width,
                   .hidden_channels = in.channels,
                   .out_channels = links.back().context->output.channels,
                   .window = std::get<Window>(window("dwconv", in, depthwise.arguments)),
                   .expands = expands};
  if (g.window.height.kernel * g.window.width.kernel > kMostTaps) return std::nullopt;
  const Bands bands(g, depthwise.batch);
  if (expands ? bands.repeated() > kMostRepeated : g.out_channels > kNarrow) return std::nullopt;
  const ir::ScratchSize prepared = bands.scratch();
  ir::ScratchSize stored = prepared;
  stored.shared += whole(g.out_channels, kPanelRows) * g.hidden_channels + (expands ? whole(g.hidden_channels, kPanelRows) * g.in_channels : 0);
  return ir::Chain{.function = expands ? "inverted_residual" : "separable",
                   .geometry_type = "SeparableGeometry",
                   .geometry = g.fields(),
                   .scratch_function = "separable_scratch",
                   .prepared_scratch_function = "separable_prepared_scratch",
                   .scratch = stored,
                   .prepared_scratch = prepared,
                   .reason = fmt::format("one kernel: the {} channels of the depthwise convolution stay in a cache", g.hidden_channels)};
}

}  // namespace cnnc::ops
