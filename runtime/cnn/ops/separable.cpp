// A band at a time: the input's columns are packed, then for a few hidden channels after the other the expansion is multiplied out,
// the depthwise sums are taken, and packed as columns of the projection.
#include "cnn/ops/separable.hpp"

#include <array>
#include <optional>
#include <span>

#include "cnn/core/team.hpp"
#include "cnn/ops/conv/column_rows.hpp"
#include "cnn/ops/conv/finish.hpp"
#include "cnn/ops/depthwise_planes.hpp"
#include "cnn/ops/windows_3x3.hpp"

namespace cnn {

namespace {

// Rows of one phase of the hidden map, whose elements are columns: all there are, where the map is made in one phase.
struct Region {
  int phase_y, phase_x;
  int row, rows, width;
  int panel;  // the first of them among the band's
};

// What a task works on: rows of images, and some of the hidden channels.
struct Band {
  int image, images;
  int row, rows;                // of the output
  int hidden_row, hidden_rows;  // that those read
  int phases;                   // of each axis
  Region regions[4];

  Band(const SeparableGeometry& g, const SeparableBands& bands, int batch, int band) : phases(g.phases()) {
    const int groups = bands.bands / bands.in_image;
    const auto share = [](int count, int index, int of) { return static_cast<int>(static_cast<long>(count) * index / of); };
    image = share(batch, band / bands.in_image, groups);
    images = share(batch, band / bands.in_image + 1, groups) - image;
    row = share(g.out_height, band % bands.in_image, bands.in_image);
    rows = share(g.out_height, band % bands.in_image + 1, bands.in_image) - row;
    const bool whole = rows == g.out_height;
    const int first = row * g.stride_height - g.pad_top;
    const int last = first + (rows - 1) * g.stride_height + (g.kernel_height - 1) * g.dilation_height;
    hidden_row = whole ? 0 : std::clamp(first, 0, g.hidden_height);
    hidden_rows = whole ? g.hidden_height : std::clamp(last + 1, hidden_row, g.hidden_height) - hidden_row;
    regions[0] = {0, 0, hidden_row, hidden_rows, g.hidden_width, 0};
    for (int i = 0; phases == 2 && i < 4; ++i) {
      const int before = i / 2 == 1 && row > 0 ? 1 : 0;  // an odd row above the first even one
      regions[i] = {i / 2, i % 2, row - before, rows + before, g.out_width, i == 0 ? 0 : panels_of(regions[i - 1])};
    }
  }

  std::span<const Region> made() const { return {regions, static_cast<std::size_t>(phases * phases)}; }
  int columns(const Region& region) const { return images * region.rows * region.width; }
  // Up to and with a region's.
  int panels_of(const Region& region) const { return region.panel + panel_count(columns(region), kPanelColumns); }
  int hidden_panels() const { return panels_of(made().back()); }
  int columns(const SeparableGeometry& g) const { return images * rows * g.out_width; }
  /// The depthwise convolution of one image's rows.
  ConvGeometry depthwise(const SeparableGeometry& g) const {
    ConvGeometry result = g.depthwise();
    result.in_height = hidden_rows;
    result.out_height = rows;
    result.pad_top = hidden_row - (row * g.stride_height - g.pad_top);
    return result;
  }
};

// A convolution's outputs of one of several phases of each axis.
ConvGeometry phase_of(ConvGeometry g, int phases, int y, int x) {
  g.out_height /= phases;
  g.out_width /= phases;
  g.pad_top -= y * g.stride_height;
  g.pad_left -= x * g.stride_width;
  g.stride_height *= phases;
  g.stride_width *= phases;
  return g;
}

// One channel's columns, from a row of them into its step of right panels; what the last panel has beyond them becomes 0.
void put_step(float* right, std::ptrdiff_t stride, float* row, int columns) {
  if (columns % kPanelColumns != 0) clear_beyond(row + columns, kPanelColumns - columns % kPanelColumns);
  for (int column = 0; column < columns; column += kPanelColumns, right += stride) {
    store(right, load(row + column));
    store(right + kLanes, load(row + column + kLanes));
  }
}

// What a row of sums becomes, the bias in its shift.
struct RowEpilogue {
  float scale, shift;

  RowEpilogue(const Epilogue& epilogue, int channel, int channels)
      : scale(epilogue.affine == nullptr ? 1 : epilogue.affine[channel]),
        shift(epilogue.affine == nullptr ? 0 : epilogue.affine[channels + channel]) {
    if (epilogue.bias != nullptr) shift += epilogue.bias[channel] * scale;
  }
};

class Separable {
 public:
  Separable(const Blocked& output, const Loaded& input, const SeparablePart* expansion, const SeparablePart& depthwise,
            const SeparablePart& projection, const SeparableGeometry& g, int batch, const Scratch& scratch)
      : output_(output), input_(input), expansion_(expansion), depthwise_(depthwise), projection_(projection), g_(g), batch_(batch),
        bands_(g, batch), layout_(g, SeparableBands(g, batch)), scratch_(scratch), shared_(scratch.shared),
        in_(forward_correlation(g.expansion())), out_(forward_correlation(g.projection())) {}

  void run() {
    if (expansion_ != nullptr) expansion_weights_ = packed(expansion_->weight, g_.expansion());
    projection_weights_ = packed(projection_.weight, g_.projection());
    if (bands_.parts == 1) {
      for_each_tile(bands_.bands, [&](int index) {
        float* memory = scratch_.thread(team_rank());
        const Band band(g_, bands_, batch_, index);
        if (expansion_ != nullptr) pack_input(memory + layout_.input, memory, band, 0, in_.depth());
        work(band, memory + layout_.input, memory, 0, g_.hidden_channels, memory + layout_.partial, true);
      });
      return;
    }
    float* const columns = shared_;
    const std::size_t band_floats = SeparableScratch::input_floats(g_, bands_);
    float* const sums = shared_ + band_floats * static_cast<std::size_t>(bands_.bands);
    const std::size_t task_floats = SeparableScratch::band_sums(g_, bands_);
    if (expansion_ != nullptr) {
      constexpr int kSteps = 16;  // of a task
      const int chunks = panel_count(in_.depth(), kSteps);
      for_each_tile(bands_.bands * chunks, [&](int task) {
        const int step = task % chunks * kSteps;
        pack_input(columns + band_floats * static_cast<std::size_t>(task / chunks), scratch_.thread(team_rank()),
                   Band(g_, bands_, batch_, task / chunks), step, std::min(step + kSteps, in_.depth()));
      });
    }
    const int row_panels = panel_count(g_.hidden_channels, kPanelRows);
    for_each_tile(bands_.tasks(), [&](int task) {
      const int index = task / bands_.parts, part = task % bands_.parts;
      const int begin = row_panels * part / bands_.parts * kPanelRows;
      const int end = std::min(row_panels * (part + 1) / bands_.parts * kPanelRows, g_.hidden_channels);
      work(Band(g_, bands_, batch_, index), columns + band_floats * static_cast<std::size_t>(index), scratch_.thread(team_rank()), begin, end,
           sums + task_floats * static_cast<std::size_t>(task), false);
    });
    add_parts(sums, task_floats);
  }

 private:
  const float* packed(const ConvWeights& weight, const ConvGeometry& g) {
    if (weight.prepared) return weight.data;
    const std::size_t floats = conv_prepared_floats(g);
    float* const begin = shared_;
    conv_prepare({begin, floats}, {weight.data, static_cast<std::size_t>(g.out_channels) * static_cast<std::size_t>(g.depth())}, g);
    shared_ += floats;
    return begin;
  }

  // Steps [begin, end) of the depth of the columns of a band's hidden map, as right panels.
  void pack_input(float* right, float* memory, const Band& band, int begin, int end) const {
    const std::ptrdiff_t stride = right_panel_stride(in_.depth());
    for (const Region& region : band.made()) {
      const ConvGeometry made = phase_of(g_.expansion(), band.phases, region.phase_y, region.phase_x);
      const Correlation phase = forward_correlation(made);
      const int first = (band.image * made.out_height + region.row) * region.width;
      const int last = first + band.columns(region);
      float* to = right + region.panel * stride + begin * kPanelColumns;
      for (int column = first; column < last; column += kTileColumns, to += kTilePanels * stride) {
        const TileColumns columns = columns_of(phase, input_.map.stride, 0, 0, column, std::min(column + kTileColumns, last));
        ColumnRows rows(columns, phase, memory + layout_.pieces);
        pack_columns(to, stride, input_, columns, rows, phase, begin, end);
      }
    }
  }

  // A band's windows of its hidden map, as expand() makes that.
  Windows3x3 windows(const Band& band, float* memory) const {
    const int width = g_.out_width;
    std::array<WindowRow, 3> rows;
    for (int y = 0; y < 3; ++y) {
      // With stride 2 the middle of a window lies in the even phase, what is around it in the odd one.
      const bool odd = band.phases == 2 && y != 1;
      const int down = band.phases == 1 ? y - 1 : y == 0 ? -1 : 0;
      const auto place = [&](const Region& region) {
        return region.panel * kPanelColumns + static_cast<std::ptrdiff_t>(band.row - region.row + down) * width;
      };
      rows[static_cast<std::size_t>(y)] = band.phases == 1 ? WindowRow{place(band.regions[0]), place(band.regions[0]) + 1}
                                                           : WindowRow{place(band.regions[odd ? 2 : 0]), place(band.regions[odd ? 3 : 1])};
    }
    return Windows3x3({band.images, band.rows, width, band.row == 0, band.row + band.rows == g_.out_height}, band.phases, rows, memory);
  }

  // Hidden channels [channel, channel + rows) of the band, one plane of its columns after the other.
  void expand(float* planes, const float* right, const Band& band, int channel, int rows) const {
    const float* const left = expansion_weights_ + static_cast<std::ptrdiff_t>(channel) * in_.depth();
    float scales[kPanelRows] = {}, shifts[kPanelRows] = {};
    for (int row = 0; row < rows; ++row) {
      const RowEpilogue epilogue(expansion_->epilogue, channel + row, g_.hidden_channels);
      scales[row] = epilogue.scale;
      shifts[row] = epilogue.shift;
    }
    const Vector least = broadcast(least_of(expansion_->epilogue.activation)), most = broadcast(most_of(expansion_->epilogue.activation));
    const int panels = band.hidden_panels();
    const std::ptrdiff_t stride = right_panel_stride(in_.depth());
    for_each_panels(0, panels, [&]<int kColumns>(int panel) {
      const auto sums = multiply_panels<1, kColumns>(left, right + panel * stride, in_.depth(), {.right_panel = stride});
      for (int i = 0; i < kColumns; ++i) {
#pragma GCC unroll 6
        for (int row = 0; row < kPanelRows; ++row) {
          float* const to = planes + static_cast<std::ptrdiff_t>(row) * static_cast<std::ptrdiff_t>(layout_.plane) + (panel + i) * kPanelColumns;
          store(to, at_most(at_least(sums.of[0][i].rows[row][0] * scales[row] + shifts[row], least), most));
          store(to + kLanes, at_most(at_least(sums.of[0][i].rows[row][1] * scales[row] + shifts[row], least), most));
        }
      }
    });
  }

  // One hidden channel of a band, summed, as a step of right panels: from its plane, which the expansion made, or the input's.
  void sum_windows(float* right, std::ptrdiff_t stride, const Band& band, int channel, const float* made, const ConvGeometry& dw,
                   const Depthwise& depthwise, float* memory) const {
    const PlaneEpilogue epilogue(depthwise_.epilogue, channel, g_.hidden_channels);
    const float* weight = depthwise_.weight.data + static_cast<std::ptrdiff_t>(channel) * dw.taps();
    const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(g_.hidden_height) * g_.hidden_width;
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(band.hidden_row) * g_.hidden_width;
    float* const phases = memory + layout_.phases;
    float* const sums = memory + layout_.sums;
    for (int image = 0; image < band.images; ++image) {
      if (made != nullptr) {
        gather(phases, ConstBlocked(), 0, made + image * band.hidden_rows * g_.hidden_width, dw, depthwise.layout);
      } else {
        gather(phases, input_, channel, input_.map.block(band.image + image) + channel * plane + first, dw, depthwise.layout);
      }
      forward_plane(sums + image * band.rows * g_.out_width, phases, weight, epilogue, nullptr, dw, depthwise, nullptr);
    }
    put_step(right, stride, sums, band.columns(g_));
  }

  // Hidden channels [begin, end) of a band, and their share of its outputs: `partial` has those of the chunks before, and gets
  // them where the outputs are not `finished` here.
  void work(const Band& band, const float* input, float* memory, int begin, int end, float* partial, bool finished) const {
    const ConvGeometry dw = band.depthwise(g_);
    const Depthwise depthwise(dw);
    std::optional<Windows3x3> windows_3x3;
    if (g_.has_3x3_windows()) windows_3x3.emplace(windows(band, memory + layout_.edges));
    const int chunk = bands_.chunk(g_);
    const std::ptrdiff_t stride = right_panel_stride(chunk);
    for (int first = begin; first < end; first += chunk) {
      const int last = std::min(first + chunk, end);
      for (int panel = first; panel < last; panel += kPanelRows) {
        const int rows = std::min(kPanelRows, last - panel);
        if (expansion_ != nullptr) expand(memory + layout_.planes, input, band, panel, rows);
        for (int channel = panel; channel < panel + rows; ++channel) {
          float* const to = memory + layout_.chunk + (channel - first) * kPanelColumns;
          const float* made = expansion_ == nullptr ? nullptr : memory + layout_.planes + (channel - panel) * layout_.plane;
          if (windows_3x3) {
            windows_3x3->sum(to, stride, made, depthwise_.weight.data + static_cast<std::ptrdiff_t>(channel) * dw.taps(),
                             PlaneEpilogue(depthwise_.epilogue, channel, g_.hidden_channels));
          } else {
            sum_windows(to, stride, band, channel, made, dw, depthwise, memory);
          }
        }
      }
      project(band, memory + layout_.chunk, stride, first, last - first, partial, first > begin, finished && last == end);
    }
  }

  // Calls visit(the columns of a few panels, the first of them, how many) for all panels of a band.
  template <class Visit>
  void for_each_columns(const Band& band, Visit&& visit) const {
    const int begin = (band.image * g_.out_height + band.row) * g_.out_width;
    for (int first = 0; first < band.columns(g_); first += kTileColumns) {
      const int count = std::min(kTileColumns, band.columns(g_) - first);
      visit(columns_of(out_, 0, output_.stride, projection_.epilogue.addend.stride, begin + first, begin + first + count), first / kPanelColumns,
            panel_count(count, kPanelColumns));
    }
  }

  void project(const Band& band, const float* right, std::ptrdiff_t stride, int first, int depth, float* partial, bool added, bool last) const {
    const int row_panels = panel_count(g_.out_channels, kPanelRows);
    const PanelSteps steps{.left_panel = static_cast<std::ptrdiff_t>(g_.hidden_channels) * kPanelRows, .right_panel = stride};
    // Calls ask(row, panel), later visit(sums, row, panel), for panels [0, panels), which are those from `before` on of the band's.
    const auto for_each_sums = [&](int before, int panels, auto&& ask, auto&& visit) {
      for_each_product(0, row_panels, panels, [&]<int kRows, int kColumns>(int row, int panel) {
        const auto each = [](auto&& work) __attribute__((always_inline)) {
          for (int j = 0; j < kRows; ++j) {
            for (int i = 0; i < kColumns; ++i) work(j, i);
          }
        };
        each([&](int j, int i) { ask(row + j, panel + i); });
        auto sums = multiply_panels<kRows, kColumns>(projection_weights_ + row * steps.left_panel + first * kPanelRows,
                                                     right + (before + panel) * stride, depth, steps);
        each([&](int j, int i) __attribute__((always_inline)) {
          if (added) add_kept(sums.of[j][i], kept(partial, before + panel + i, row + j));
          visit(sums.of[j][i], row + j, panel + i);
        });
      });
    };
    if (!last) {
      for_each_sums(0, panel_count(band.columns(g_), kPanelColumns), [](int, int) {},
                    [&](const PanelSums& sums, int row, int panel) __attribute__((always_inline)) { keep(kept(partial, panel, row), sums); });
      return;
    }
    for_each_columns(band, [&](const TileColumns& columns, int before, int panels) {
      const Finish finish(output_, projection_.epilogue, out_, columns);
      for_each_sums(
          before, panels, [&](int row, int panel) { finish.ask_ahead(row * kPanelRows, panel); },
          [&](const PanelSums& sums, int row, int panel) __attribute__((always_inline)) { finish(sums, row * kPanelRows, panel); });
    });
  }

  float* kept(float* partial, int panel, int row) const {
    return partial + (static_cast<std::ptrdiff_t>(panel) * panel_count(g_.out_channels, kPanelRows) + row) * kPanelRows * kPanelColumns;
  }

  // The outputs of bands whose hidden channels were cut into parts: a task is a row of panels.
  void add_parts(float* sums, std::size_t task_floats) const {
    const int row_panels = panel_count(g_.out_channels, kPanelRows);
    for_each_tile(bands_.bands * row_panels, [&](int task) {
      const int index = task / row_panels, row = task % row_panels;
      float* const first = sums + task_floats * static_cast<std::size_t>(index * bands_.parts);
      for_each_columns(Band(g_, bands_, batch_, index), [&](const TileColumns& columns, int before, int panels) {
        const Finish finish(output_, projection_.epilogue, out_, columns);
        for (int panel = 0; panel < panels; ++panel) {
          PanelSums total = {};
          for (int part = 0; part < bands_.parts; ++part) {
            add_kept(total, kept(first + task_floats * static_cast<std::size_t>(part), before + panel, row));
          }
          finish(total, row * kPanelRows, panel);
        }
      });
    });
  }

  const Blocked& output_;
  const Loaded& input_;
  const SeparablePart* expansion_;
  const SeparablePart& depthwise_;
  const SeparablePart& projection_;
  const SeparableGeometry& g_;
  int batch_;
  SeparableBands bands_;
  SeparableScratch layout_;
  const Scratch& scratch_;
  float* shared_;  // what is still free of the shared scratch
  Correlation in_, out_;
  const float* expansion_weights_ = nullptr;
  const float* projection_weights_ = nullptr;
};

}  // namespace

void separable(Blocked output, const Loaded& input, const SeparablePart& depthwise, const SeparablePart& projection,
               const SeparableGeometry& geometry, int batch, const Scratch& scratch) {
  Separable(output, input, nullptr, depthwise, projection, geometry, batch, scratch).run();
}

void inverted_residual(Blocked output, const Loaded& input, const SeparablePart& expansion, const SeparablePart& depthwise,
                       const SeparablePart& projection, const SeparableGeometry& geometry, int batch, const Scratch& scratch) {
  Separable(output, input, &expansion, depthwise, projection, geometry, batch, scratch).run();
}

}  // namespace cnn
