// What `cnnc summary` prints: layers, shapes, parameters, MACs and memory, before anything runs.
#pragma once

#include <string>

#include "plan/plan.hpp"

namespace cnnc::driver {

std::string summary_text(const plan::Plan& plan, int threads);

/// {"model", "parameters", "trainable", "macs", "layers": [{"path", "type", "output", "parameters", "macs"}], "memory", "phases"}
std::string summary_json(const plan::Plan& plan, int threads);

}  // namespace cnnc::driver
