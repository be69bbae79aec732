// Totals of a plan, and what its parts are made of.
#include "plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cnnc::plan {

void share_scratch(Function& function, Step& step) {
  const auto place = std::ranges::find_if(step.operands, [](const Operand& operand) {
    const auto* named = std::get_if<Named>(&operand);
    return named != nullptr && *named == Named::kScratch;
  });
  if (place == step.operands.end()) return;
  *place = ScratchOperand{static_cast<int>(function.buffers.size())};
  Buffer buffer;
  buffer.name = fmt::format("scratch{}", function.buffers.size());
  buffer.kind = Buffer::Kind::kScratch;
  buffer.elements = step.scratch.shared;
  function.buffers.push_back(std::move(buffer));
}

std::int64_t Plan::parameter_count() const {
  std::int64_t count = 0;
  for (const LayerRow& row : layers) count += row.auxiliary ? 0 : row.parameters;
  return count;
}

std::int64_t Plan::auxiliary_count() const {
  std::int64_t count = 0;
  for (const LayerRow& row : layers) count += row.auxiliary ? row.parameters : 0;
  return count;
}

std::int64_t Plan::statistic_count() const {
  std::int64_t count = 0;
  for (const LayerRow& row : layers) count += row.statistics;
  return count;
}

std::int64_t Plan::mac_count() const {
  std::int64_t count = 0;
  for (const LayerRow& row : layers) count += row.auxiliary ? 0 : row.macs;
  return count;
}

std::int64_t Plan::trainable_count(std::size_t phase) const {
  std::int64_t count = 0;
  for (const int parameter : phases.at(phase).learning) {
    count += parameters.at(static_cast<std::size_t>(parameter)).parameter.elements();
  }
  return count;
}

}  // namespace cnnc::plan
