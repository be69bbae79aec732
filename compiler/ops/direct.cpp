// The sizes are those of runtime/cnn/ops/conv/direct.hpp, which says what they are of: generated code asserts that they agree.
#include "ops/direct.hpp"

#include <algorithm>

#include "ops/correlation.hpp"

namespace cnnc::ops {

namespace {

constexpr std::int64_t kPanelChannels = 16, kPanelsAtOnce = 2, kBandPlaces = 28 * 7, kWritten = 8;

// cnn::pitch_of.
std::int64_t pitch_of(std::int64_t places) {
  constexpr std::int64_t kLine = 16;
  return (pieces(places, kLine) | 1) * kLine;
}

// cnn::direct::copy_floats.
std::int64_t copy_floats(const ConvolutionCorrelations& correlations) {
  const Correlation c = correlations.forward();
  const std::int64_t outputs = c.vertical.count * c.horizontal.count;
  if (correlations.pointwise()) return c.in * pitch_of(std::min(kBandPlaces, outputs));
  const PlaneAxis vertical(c.vertical, false), horizontal(c.horizontal, false);
  const std::int64_t rows = outputs == 0 ? 0 : std::min(kBandPlaces / c.horizontal.count + 2, c.vertical.count);
  return c.in * pitch_of(vertical.planes * horizontal.planes * (rows + vertical.reach) * horizontal.extent + kWritten);
}

}  // namespace

ir::ScratchSize direct_prepared_scratch(const ir::OpContext& context) {
  return {.per_thread = kBandPlaces * kPanelsAtOnce * kPanelChannels + copy_floats(ConvolutionCorrelations(context)), .shared = 0};
}

std::int64_t direct_prepared_floats(const ir::OpContext& context) {
  const Correlation c = ConvolutionCorrelations(context).forward();
  return whole(c.out, kPanelChannels) * c.in * static_cast<std::int64_t>(c.vertical.reads.size() * c.horizontal.reads.size());
}

ir::ScratchSize direct_scratch(const ir::OpContext& context) {
  ir::ScratchSize size = direct_prepared_scratch(context);
  size.shared = direct_prepared_floats(context);
  return size;
}

}  // namespace cnnc::ops
