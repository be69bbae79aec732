// Data and training as the spec describes them, every default filled in and every phase explicit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shape.hpp"

namespace cnnc::ir {

/// `resize(32x32)`, `normalize(mean=[...], std=[...])`.
struct Transform {
  enum class Kind { kResize, kNormalize } kind = Kind::kResize;
  std::int64_t height = 0, width = 0;       // kResize
  std::vector<double> mean, std_deviation;  // kNormalize: one a channel
};

/// A part of the data taken out of the training part, or `val=test`.
struct Split {
  enum class Kind { kNone, kFraction, kCount, kTest } kind = Kind::kNone;
  double fraction = 0;
  std::int64_t count = 0;
};

struct Data {
  std::string name;
  enum class Source { kIdx } source = Source::kIdx;
  std::string directory;  // as written; relative to the spec's folder
  Split validation;
  Split test;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;  // empty: "0", "1", ...
  std::vector<Transform> prepare;
};

struct Optimizer {
  enum class Kind { kSgd, kAdam, kAdamw } kind = Kind::kSgd;
  double learning_rate = 0;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

enum class Loss { kCrossEntropy, kMeanSquaredError };

struct Phase {
  std::string name;            // "main" where the spec has none
  int line = 0;
  std::int64_t epochs = 0;
  std::optional<Optimizer> optimizer;  // none: carried over from the phase before
  std::vector<bool> frozen;    // one a layer, in definition order
};

struct Checkpoint {
  std::string file;            // no folder
  std::string monitor;         // "val_loss", "val_accuracy"
};

struct Training {
  std::string data_name;
  Loss loss = Loss::kCrossEntropy;
  std::vector<std::string> metrics;  // "accuracy", "top5"
  std::int64_t batch = 0;
  std::uint64_t seed = 0;
  std::int64_t save_every = 0;       // steps; 0: at the end of an epoch only
  std::vector<Checkpoint> checkpoints;
  std::vector<Phase> phases;
};

}  // namespace cnnc::ir
