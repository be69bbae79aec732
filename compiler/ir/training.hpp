// Data and training as the spec describes them, every default filled in and every phase explicit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "precision.hpp"
#include "shape.hpp"
#include "support/source.hpp"
#include "value.hpp"

namespace cnnc::ir {

/// A step of `prepare` or `augment`, as it is called; normalize with what it comes to.
struct Transform {
  enum class Kind { kResize, kNormalize, kOther } kind = Kind::kOther;
  std::string name = {};                         // "resize", "rotate"
  ArgumentValues arguments = {};                 // every one, with defaults
  std::int64_t height = 0, width = 0;            // kResize
  std::vector<double> mean = {}, std_deviation = {};  // kNormalize: one a channel
};

/// Something that is understood but can't be generated yet.
struct NotYet {
  Range range;
  std::string what;
};

/// A part of the data taken out of the training part, or `val=test`.
struct Split {
  enum class Kind { kNone, kFraction, kCount, kTest } kind = Kind::kNone;
  double fraction = 0;
  std::int64_t count = 0;
};

struct Data {
  std::string name;
  enum class Source { kIdx, kCifar10, kFolder, kList } source = Source::kIdx;
  std::string directory;  // of the files, or the list itself; relative to the spec's folder
  Split validation;
  Split test;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;  // empty: "0", "1", ...
  std::vector<Transform> prepare;        // of every image
  std::vector<Transform> augment;        // of those of the training part
};

struct Optimizer {
  enum class Kind { kSgd, kAdam, kAdamw, kRmsprop } kind = Kind::kSgd;
  double learning_rate = 0;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double smoothing = 0.99;  // kRmsprop: of the mean of squares
};

/// How the learning rate goes over the epochs of a phase, as a factor of the optimizer's.
struct Schedule {
  enum class Kind { kConstant, kStep, kMultistep, kCosine, kExponential } kind = Kind::kConstant;
  std::int64_t every = 0;                // kStep: epochs
  std::vector<std::int64_t> milestones;  // kMultistep: epochs
  double factor = 0;                     // kStep, kMultistep, kExponential
  double minimum = 0;                    // kCosine: the rate at the end
  std::int64_t warmup = 0;               // epochs in which the rate grows linearly from 0
};

enum class Loss { kCrossEntropy, kMeanSquaredError, kBinaryCrossEntropy, kLenet5Map };

/// Other settings for the layers that a `group` line selects; what it does not give stays.
struct ParameterGroup {
  std::vector<bool> layers;  // in definition order
  std::optional<double> learning_rate;
  std::optional<double> weight_decay;
};

struct Checkpoint {
  std::string file;     // no folder
  std::string monitor;  // "val_loss", "val_accuracy"
};

/// Ends the phase when the monitored figure has not become better for `patience` epochs.
struct EarlyStop {
  std::string monitor;
  std::int64_t patience = 0;
  double min_delta = 0;
  bool restore_best = false;
};

/// Multiplies the learning rate when the monitored figure has not become better for `patience` epochs.
struct ReduceLearningRate {
  std::string monitor;
  double factor = 0.1;
  std::int64_t patience = 0;
  double min_delta = 0;
  double minimum = 0;
};

struct Callbacks {
  std::vector<Checkpoint> checkpoints;
  std::vector<EarlyStop> early_stops;
  std::vector<ReduceLearningRate> reductions;
};

struct Phase {
  std::string name;            // "main" where the spec has none
  int line = 0;
  std::int64_t epochs = 0;
  std::optional<Optimizer> optimizer;  // none: carried over from the phase before
  Schedule schedule;
  double clip_norm = 0;        // the largest norm of all gradients together; 0: any
  bool updates_frozen_statistics = false;  // bn_stats = update
  std::vector<bool> frozen;    // one a layer, in definition order
  std::vector<ParameterGroup> groups;  // later ones win
  Callbacks callbacks;         // for this phase alone
};

/// `init backbone from "weights.safetensors"`.
struct InitialWeights {
  std::string path;     // of a part of the model, as it is written
  std::string file;     // relative to the spec's folder
  bool by_order = false;
  std::string section;  // the part's path in the model that it is taken from; empty: none, or the whole of it
  std::string prefix;   // of its tensors in a weights file; empty: a path with * or a slice
  std::vector<bool> layers;  // in definition order
};

struct Training {
  std::string data_name;
  Loss loss = Loss::kCrossEntropy;
  double label_smoothing = 0;
  std::vector<double> class_weights;  // empty: all alike
  double rubbish_penalty = 1;         // kLenet5Map: the paper's j
  std::vector<std::string> metrics;   // "accuracy", "top5", "f1(macro)"
  std::int64_t batch = 0;
  std::uint64_t seed = 0;
  Precision precision = Precision::kFast;
  std::int64_t save_every = 0;        // steps; 0: at the end of an epoch only
  std::vector<InitialWeights> initial_weights;
  Callbacks callbacks;                // for the whole run
  std::vector<Phase> phases;
  std::vector<NotYet> not_yet;
};

}  // namespace cnnc::ir
