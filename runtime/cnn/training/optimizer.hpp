// Optimizers: SGD, Adam, AdamW and RMSprop over the tensors that learn in a phase, in one pass over contiguous memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cnn/core/types.hpp"
#include "cnn/network/description.hpp"
#include "cnn/network/network.hpp"

namespace cnn {

/// Updates a model's parameters from its gradients. Moments lie in the model's arena, by the parameter's
/// place among all tensors that learn in any phase; each tensor counts its own steps. Formulas as PyTorch's
/// defaults have them: SGD (Sutskever 2013 as torch.optim.SGD), Adam (Kingma & Ba 2015, algorithm 1, decay
/// added to the gradient), AdamW (Loshchilov & Hutter 2019, algorithm 2), RMSprop (Tieleman & Hinton 2012,
/// lecture 6e; as torch.optim.RMSprop, not centered, whose alpha is `smoothing`).
class Optimizer {
 public:
  /// `state` is Network::optimizer_state(): the first moments of all tensors that ever learn, in definition
  /// order, then the second ones (SGD has none, RMSprop with momentum only). Throws std::invalid_argument where it is too small.
  Optimizer(const ModelDescription& model, Floats state);
  /// With the network's own state, and `phase` begun. Throws std::invalid_argument where there is no such phase.
  explicit Optimizer(Network& network, int phase = 0);

  /// Makes `phase` current: its learning tensors, and its own optimizer with fresh moments and step counts
  /// where it declares one.
  void begin_phase(int phase);
  void set_learning_rate(double learning_rate) { learning_rate_ = learning_rate; }
  double learning_rate() const { return learning_rate_; }

  /// One step: `parameters` is all of the model's, `gradients` the phase's. Collective; allocates nothing.
  void update(Floats parameters, ConstFloats gradients);

  /// For checkpoints: the steps each tensor has taken, one for each of the model's tensors.
  std::vector<std::int64_t>& steps() { return steps_; }
  const std::vector<std::int64_t>& steps() const { return steps_; }
  /// The current phase's tensors, and each one's moments: `kind` is 0 or 1, below moment_kinds().
  std::span<const int> learning() const { return learning_; }
  int moment_kinds() const;
  Floats moments(int tensor, int kind);
  /// Floats of state the model's phases need.
  static std::size_t state_floats(const ModelDescription& model);

 private:
  struct Tile {
    std::size_t parameter, gradient, state, count;
    int tensor;
  };
  void reset(int tensor);

  const ModelDescription& model_;
  Floats state_;
  std::size_t moment_floats_ = 0;  // of one kind of moment
  OptimizerDescription settings_;
  double learning_rate_ = 0;
  std::vector<std::int64_t> steps_;
  std::vector<std::size_t> state_offsets_;  // by tensor
  std::vector<int> learning_;               // tensors of the current phase
  std::vector<Tile> tiles_;
};

}  // namespace cnn
