// SGD, Adam, AdamW and RMSprop as PyTorch's single-tensor implementations compute them: moments and values in
// float32, factors that depend on the step in double. Tiles of a fixed size are shared among the team.
#include "optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "cnn/core/team.hpp"

namespace cnn {
namespace {

constexpr std::size_t kTileFloats = 16384;  // four arrays of a tile fit an L2 cache

bool learns_in_any_phase(const ModelDescription& model, int tensor) {
  for (const PhaseDescription& phase : model.training.phases)
    for (const LearningTensor& learning : phase.learning)
      if (learning.tensor == tensor) return true;
  return false;
}

std::size_t learning_floats(const ModelDescription& model) {
  std::size_t floats = 0;
  for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor)
    if (learns_in_any_phase(model, static_cast<int>(tensor))) floats += model.tensors[tensor].count;
  return floats;
}

/// Moments that an optimizer keeps for each learning float.
std::size_t kinds_of_moments(const OptimizerDescription& optimizer) {
  const std::size_t velocities = optimizer.momentum != 0 ? 1 : 0;
  if (optimizer.algorithm == Algorithm::kSgd) return velocities;
  return optimizer.algorithm == Algorithm::kRmsprop ? 1 + velocities : 2;
}

struct Range {
  float* __restrict parameter;
  const float* __restrict gradient;
  float* __restrict first;
  float* __restrict second;
  std::size_t count;
};

void update_plain_sgd(const Range& range, float rate, float decay) {
  for (std::size_t i = 0; i < range.count; ++i) {
    const float gradient = range.gradient[i] + decay * range.parameter[i];
    range.parameter[i] -= rate * gradient;
  }
}

/// PyTorch's first step sets the momentum to the gradient; from zeros the sum is the same.
void update_momentum_sgd(const Range& range, float rate, float decay, float momentum, bool nesterov) {
  const float look_ahead = nesterov ? momentum : 1.0f;
  const float direct = nesterov ? 1.0f : 0.0f;
  for (std::size_t i = 0; i < range.count; ++i) {
    const float gradient = range.gradient[i] + decay * range.parameter[i];
    const float velocity = momentum * range.first[i] + gradient;
    range.first[i] = velocity;
    range.parameter[i] -= rate * (direct * gradient + look_ahead * velocity);
  }
}

struct AdamFactors {
  float added_decay, kept;  // of the parameter, to the gradient (Adam); of the parameter, itself (AdamW)
  float beta1, one_less_beta1, beta2, one_less_beta2;
  float step_size, inverse_root_correction, epsilon;
};

AdamFactors adam_factors(const OptimizerDescription& settings, double rate, std::int64_t step) {
  const double correction1 = 1 - std::pow(settings.beta1, static_cast<double>(step));
  const double correction2 = 1 - std::pow(settings.beta2, static_cast<double>(step));
  const bool decoupled = settings.algorithm == Algorithm::kAdamw;
  return {.added_decay = decoupled ? 0.0f : static_cast<float>(settings.weight_decay),
          .kept = decoupled ? static_cast<float>(1 - rate * settings.weight_decay) : 1.0f,
          .beta1 = static_cast<float>(settings.beta1),
          .one_less_beta1 = static_cast<float>(1 - settings.beta1),
          .beta2 = static_cast<float>(settings.beta2),
          .one_less_beta2 = static_cast<float>(1 - settings.beta2),
          .step_size = static_cast<float>(rate / correction1),
          .inverse_root_correction = static_cast<float>(1 / std::sqrt(correction2)),
          .epsilon = static_cast<float>(settings.epsilon)};
}

void update_adam(const Range& range, const AdamFactors& factors) {
  const AdamFactors f = factors;  // a copy whose fields can't alias the arrays
  for (std::size_t i = 0; i < range.count; ++i) {
    const float gradient = range.gradient[i] + f.added_decay * range.parameter[i];
    const float first = f.beta1 * range.first[i] + f.one_less_beta1 * gradient;
    const float second = f.beta2 * range.second[i] + f.one_less_beta2 * gradient * gradient;
    range.first[i] = first;
    range.second[i] = second;
    const float denominator = std::sqrt(second) * f.inverse_root_correction + f.epsilon;
    range.parameter[i] = f.kept * range.parameter[i] - f.step_size * (first / denominator);
  }
}

/// The first moment is the mean of squares; the second, where there is momentum, what the parameter moves by.
void update_rmsprop(const Range& range, const OptimizerDescription& settings, float rate) {
  const auto smoothing = static_cast<float>(settings.smoothing);
  const auto one_less_smoothing = static_cast<float>(1 - settings.smoothing);
  const auto decay = static_cast<float>(settings.weight_decay);
  const auto momentum = static_cast<float>(settings.momentum);
  const auto epsilon = static_cast<float>(settings.epsilon);
  const auto direction = [&](std::size_t i) {
    const float gradient = range.gradient[i] + decay * range.parameter[i];
    const float square = smoothing * range.first[i] + one_less_smoothing * gradient * gradient;
    range.first[i] = square;
    return gradient / (std::sqrt(square) + epsilon);
  };
  if (range.second == nullptr) {
    for (std::size_t i = 0; i < range.count; ++i) range.parameter[i] -= rate * direction(i);
    return;
  }
  for (std::size_t i = 0; i < range.count; ++i) {
    const float velocity = momentum * range.second[i] + direction(i);
    range.second[i] = velocity;
    range.parameter[i] -= rate * velocity;
  }
}

}  // namespace

std::size_t Optimizer::state_floats(const ModelDescription& model) {
  std::size_t kinds = 0;
  for (const PhaseDescription& phase : model.training.phases)
    if (phase.has_optimizer) kinds = std::max(kinds, kinds_of_moments(phase.optimizer));
  return kinds * learning_floats(model);
}

Optimizer::Optimizer(const ModelDescription& model, Floats state)
    : model_(model), state_(state), moment_floats_(learning_floats(model)) {
  if (state.size() < state_floats(model))
    throw std::invalid_argument(fmt::format("the optimizer of {} needs {} floats of state and was given {}",
                                            model.name, state_floats(model), state.size()));
  steps_.assign(model.tensors.size(), 0);
  state_offsets_.assign(model.tensors.size(), 0);
  std::size_t offset = 0;
  for (std::size_t tensor = 0; tensor < model.tensors.size(); ++tensor) {
    if (!learns_in_any_phase(model, static_cast<int>(tensor))) continue;
    state_offsets_[tensor] = offset;
    offset += model.tensors[tensor].count;
  }
}

Optimizer::Optimizer(Network& network, int phase)
    : Optimizer(network.description(), network.optimizer_state()) {
  const auto phases = static_cast<int>(model_.training.phases.size());
  if (phase < 0 || phase >= phases)
    throw std::invalid_argument(
        fmt::format("{} has {} phases, so none with index {}", model_.name, phases, phase));
  begin_phase(phase);
}

void Optimizer::begin_phase(int phase) {
  const PhaseDescription& description = model_.training.phases[static_cast<std::size_t>(phase)];
  const std::vector<int> learned_before = std::move(learning_);
  learning_.clear();
  tiles_.clear();
  if (description.has_optimizer) {
    settings_ = description.optimizer;
    learning_rate_ = settings_.learning_rate;
    std::fill(state_.begin(), state_.end(), 0.0f);
    std::fill(steps_.begin(), steps_.end(), 0);
  }
  for (const LearningTensor& learning : description.learning) {
    const auto tensor = static_cast<std::size_t>(learning.tensor);
    learning_.push_back(learning.tensor);
    const auto& before = learned_before;
    if (std::find(before.begin(), before.end(), learning.tensor) == before.end()) reset(learning.tensor);
    const std::size_t count = model_.tensors[tensor].count;
    for (std::size_t begin = 0; begin < count; begin += kTileFloats)
      tiles_.push_back({.parameter = model_.tensors[tensor].offset + begin,
                        .gradient = learning.gradient_offset + begin,
                        .state = state_offsets_[tensor] + begin,
                        .count = std::min(kTileFloats, count - begin),
                        .tensor = learning.tensor});
  }
}

/// A tensor that was frozen begins anew: zero moments and no steps.
void Optimizer::reset(int tensor) {
  steps_[static_cast<std::size_t>(tensor)] = 0;
  for (int kind = 0; kind < moment_kinds(); ++kind) {
    const Floats values = moments(tensor, kind);
    std::fill(values.begin(), values.end(), 0.0f);
  }
}

int Optimizer::moment_kinds() const {
  return static_cast<int>(kinds_of_moments(settings_));
}

Floats Optimizer::moments(int tensor, int kind) {
  const auto index = static_cast<std::size_t>(tensor);
  return state_.subspan(static_cast<std::size_t>(kind) * moment_floats_ + state_offsets_[index],
                        model_.tensors[index].count);
}

void Optimizer::update(Floats parameters, ConstFloats gradients) {
  for_each_tile(static_cast<int>(tiles_.size()), [&](int index) {
    const Tile& tile = tiles_[static_cast<std::size_t>(index)];
    const int kinds = moment_kinds();
    float* const moments = state_.data() + tile.state;
    const Range range{.parameter = parameters.data() + tile.parameter,
                      .gradient = gradients.data() + tile.gradient,
                      .first = kinds >= 1 ? moments : nullptr,
                      .second = kinds >= 2 ? moments + moment_floats_ : nullptr,
                      .count = tile.count};
    const auto rate = static_cast<float>(learning_rate_);
    const auto decay = static_cast<float>(settings_.weight_decay);
    const std::int64_t step = steps_[static_cast<std::size_t>(tile.tensor)] + 1;
    if (settings_.algorithm == Algorithm::kRmsprop) {
      update_rmsprop(range, settings_, rate);
    } else if (kinds == 2) {
      update_adam(range, adam_factors(settings_, learning_rate_, step));
    } else if (kinds == 1) {
      update_momentum_sgd(range, rate, decay, static_cast<float>(settings_.momentum), settings_.nesterov);
    } else {
      update_plain_sgd(range, rate, decay);
    }
  });
  // All tiles have read the counts; one thread moves them on before anyone goes ahead.
#pragma omp single
  for (const int tensor : learning_) ++steps_[static_cast<std::size_t>(tensor)];
}

}  // namespace cnn
