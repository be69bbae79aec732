// Places a function's buffers in the arena from their lifetimes.
#pragma once

#include "plan/plan.hpp"

namespace cnnc::plan {

/// Fills in lifetimes (what is made once more lives twice, in one place), offsets, the arena's size and its lower bound (the
/// most that is live at any one step). Buffers whose lifetimes meet never overlap.
/// Calls that can do with less shared scratch get less where that lowers the bound by a twentieth.
void place_buffers(Function& function);

/// Places the buffers that keep prepared weights from `begin` on, one after the other; returns where they end.
std::int64_t place_prepared(Function& function, std::int64_t begin);

}  // namespace cnnc::plan
