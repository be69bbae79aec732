// Totals of a plan.
#include "plan/plan.hpp"

namespace cnnc::plan {

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
