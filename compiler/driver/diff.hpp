// `cnnc diff A B`: what is different about two programs, by meaning and not by text.
#pragma once

#include <string>

#include "driver/compile.hpp"

namespace cnnc::driver {

/// Layers that came, went or changed (by path), parameters, MACs, memory of each phase, data and training. Says so where there
/// is no difference.
std::string diff_text(const Compiled& before, const Compiled& after);

}  // namespace cnnc::driver
