// What is understood of a program, but can't be generated yet.
#pragma once

#include <vector>

#include "sema/model.hpp"

namespace cnnc::sema {

/// Layers without kernels and parts of data and training that no generated program can do so far, with where they stand.
std::vector<ir::NotYet> not_yet(const Program& program);

}  // namespace cnnc::sema
