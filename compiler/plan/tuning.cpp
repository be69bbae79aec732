// The cost model's word, and that of a tuning over it.
#include "plan/tuning.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "support/internal_error.hpp"

namespace cnnc::plan {

namespace {

constexpr std::array<std::string_view, 5> kWorkNames{"predict", "forward", "backward-input", "backward-params", "backward"};

// Beside a number of the same kind, so few digits do.
std::string milliseconds(double value) {
  return value < 0.1 ? fmt::format("{:.3f} ms", value) : value < 1 ? fmt::format("{:.2f} ms", value) : fmt::format("{:.1f} ms", value);
}

// "winograd: tuned, 3.1 ms against 4.7 ms packed (the cost model would choose packed)"
std::string reason_of(const TunedChoice& tuned, std::string_view by_cost_model) {
  std::string own = "tuned";
  std::vector<std::string> others;
  for (const Measured& one : tuned.measured) {
    if (one.algorithm == tuned.algorithm) own = "tuned, " + milliseconds(one.milliseconds);
    else others.push_back(fmt::format("{} {}", milliseconds(one.milliseconds), one.algorithm));
  }
  const std::string against = others.empty() ? "" : fmt::format(" against {}", fmt::join(others, ", "));
  const std::string model = tuned.algorithm == by_cost_model ? "the cost model agrees" : fmt::format("the cost model would choose {}", by_cost_model);
  return fmt::format("{}: {}{} ({})", tuned.algorithm, own, against, model);
}

}  // namespace

std::span<const std::string_view> work_names() {
  return kWorkNames;
}

std::string_view to_text(Work work) {
  return kWorkNames.at(static_cast<std::size_t>(work));
}

Work work_of(ir::Pass pass) {
  switch (pass) {
    case ir::Pass::kForward: return Work::kForward;
    case ir::Pass::kBackwardInput: return Work::kBackwardInput;
    case ir::Pass::kBackwardParams: return Work::kBackwardParams;
    case ir::Pass::kBackward: break;
  }
  return Work::kBackward;
}

std::vector<std::string_view> Choice::open() const {
  std::vector<std::string_view> names;
  for (const ir::Candidate& candidate : candidates) {
    if (candidate.obstacle.empty()) names.push_back(candidate.name);
  }
  return names;
}

Chosen choose(const Question& question, const Tuning& tuning) {
  ir::Decision decision = question.card.decide(question.context, question.pass, question.precision);
  const ir::Candidate& own = decision.candidates.at(decision.chosen);
  const ir::CallDef* call = own.call;
  Choice choice{.work = question.work, .candidates = {}, .chosen = own.name, .by_cost_model = own.name, .tuned = false};
  choice.candidates = std::move(decision.candidates);
  const auto tuned = tuning.find({question.path, question.work});
  if (tuned == tuning.end()) return {.call = call, .reason = std::move(decision.reason), .choice = std::move(choice)};
  const auto found = std::ranges::find(choice.candidates, tuned->second.algorithm, &ir::Candidate::name);
  ensure(found != choice.candidates.end() && found->obstacle.empty(), "plan", "a tuning with an algorithm that is closed");
  choice.chosen = found->name;
  choice.tuned = true;
  call = found->call;
  return {.call = call, .reason = reason_of(tuned->second, choice.by_cost_model), .choice = std::move(choice)};
}

std::string fingerprint(const Tuning& tuning) {
  if (tuning.empty()) return {};
  std::uint32_t hash = 0x811c9dc5;  // FNV-1a, 32 bits
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
    hash = (hash ^ 0x100) * 0x01000193;
  };
  for (const auto& [key, choice] : tuning) {
    add(key.first);
    add(to_text(key.second));
    add(choice.algorithm);
  }
  return fmt::format("{:08x}", hash);
}

}  // namespace cnnc::plan
