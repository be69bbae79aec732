// What `cnnc summary` prints: layers, shapes, parameters, MACs and memory, before anything runs.
#pragma once

#include <string>

#include "plan/plan.hpp"

namespace cnnc::driver {

struct SummaryOptions {
  int threads = 1;  // that scratch memory is counted for
  int depth = 0;    // not 0: what lies deeper than so many names is one line
};

/// A table of layers, the totals, and for each phase what learns and what memory that takes.
std::string summary_text(const plan::Plan& plan, const SummaryOptions& options);

/// The table and totals as Keras has them: parameters with running statistics, and those apart that don't
/// learn in the first phase.
std::string keras_summary(const plan::Plan& plan, const SummaryOptions& options);

/// {"model", "parameters", "trainable", "macs", "layers": [{"path", "type", "output", "parameters", "macs"}],
/// "memory", "phases"}
std::string summary_json(const plan::Plan& plan, const SummaryOptions& options);

}  // namespace cnnc::driver
