// Choices between the ways to compute a pass of a layer: what there is to choose from, and choices that somebody who measured
// made in the cost model's place.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/op_def.hpp"

namespace cnnc::plan {

/// What a call is chosen for. Predictions are apart from the forward passes of training and evaluation, since they find
/// their weights prepared.
enum class Work { kPredict, kForward, kBackwardInput, kBackwardParams, kBackward };

/// As tuning files have them, in the order of the enumerators: "predict", "forward", "backward-input", ...
std::span<const std::string_view> work_names();
std::string_view to_text(Work work);
/// Of a training step's or an evaluation's pass.
Work work_of(ir::Pass pass);

/// What an algorithm took for a pass of a layer, of one step.
struct Measured {
  std::string algorithm;
  double milliseconds = 0;
};

struct TunedChoice {
  std::string algorithm;
  std::vector<Measured> measured = {};  // empty where somebody chose by hand
};

/// Choices by the layer's path and what the call is for.
using Tuning = std::map<std::pair<std::string, Work>, TunedChoice>;

/// What a step was chosen from.
struct Choice {
  Work work = Work::kForward;
  std::vector<ir::Candidate> candidates;
  std::string_view chosen, by_cost_model;  // names of candidates
  bool tuned = false;                      // a tuning chose

  /// The names of those that are open.
  std::vector<std::string_view> open() const;
};

/// A pass of a layer whose card decides.
struct Question {
  const ir::OpDef& card;
  ir::OpContext context;
  const std::string& path;
  ir::Pass pass;
  Work work;
  ir::Precision precision;
};

struct Chosen {
  const ir::CallDef* call = nullptr;
  std::string reason;
  std::optional<Choice> choice;
};

/// The tuning's algorithm where it has one for this pass, which must be open; else the cost model's.
Chosen choose(const Question& question, const Tuning& tuning);

/// A short text that is the same for the same choices, whatever was measured; empty where nothing is chosen.
std::string fingerprint(const Tuning& tuning);

}  // namespace cnnc::plan
