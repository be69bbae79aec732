// Values that need not live from forward to backward, since making them once more is cheaper than the memory.
#pragma once

#include "plan/plan.hpp"

namespace cnnc::plan {

/// Puts calls of the forward half once more in front of the backward steps that read what they make, where that lowers the most that
/// is live at once (Chen et al. 2016, with calls so cheap that a step takes no longer). The values are the same, bit for bit.
void repeat_calls(Function& function, std::int64_t batch);

}  // namespace cnnc::plan
