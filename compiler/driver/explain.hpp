// `cnnc explain`: what each phase of a training does to each layer.
#pragma once

#include <string>

#include "driver/compile.hpp"

namespace cnnc::driver {

/// For each phase: what is frozen, what learns and at which rate, and where the gradient stops.
std::string explain_text(const Compiled& compiled);

}  // namespace cnnc::driver
