// What a generated program knows of itself: plain constant tables that the training program, checkpoints and
// reports read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cnn {

/// How a parameter begins: a constant, U(-value, value), or N(0, value^2).
enum class InitialValues { kConstant, kUniform, kNormal };

/// A tensor of the model: a parameter that can learn, or a statistic that the forward pass updates.
struct TensorDescription {
  std::string_view name{};                // as in a weights file: "features.conv1.weight"
  std::array<std::int64_t, 4> extents{};  // the first `rank` count
  int rank = 0;
  std::size_t offset = 0;  // floats, from the start of the parameters
  std::size_t count = 0;   // floats
  InitialValues initial = InitialValues::kConstant;
  float value = 0;
  bool statistic = false;
};

/// A layer as the spec has it.
struct LayerDescription {
  std::string_view path{};
  std::string_view type{};    // "conv"
  std::string_view output{};  // "6x28x28"
  std::int64_t parameters = 0;
  std::int64_t macs = 0;    // for one image
  std::string_view line{};  // of the spec, "12", or of a file that it imports, "blocks.cnn:12"
  std::string_view text{};  // of that line, without its indentation
};

/// What some calls do: for an image multiply-adds and the bytes of the maps they read and write, and the bytes of parameters
/// and gradients, whatever the batch.
struct Work {
  std::int64_t macs = 0;
  std::int64_t image_bytes = 0;
  std::int64_t parameter_bytes = 0;
};

/// A layer's calls in one function; all 0 where it has none.
struct LayerWork {
  Work forward{};
  Work backward{};
};

enum class Algorithm { kSgd, kAdam, kAdamw, kRmsprop };

struct OptimizerDescription {
  Algorithm algorithm = Algorithm::kSgd;
  double learning_rate = 0;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // double: 1 - 0.999f would be off by 1e-5
  double smoothing = 0.99;                            // of RMSprop's mean of squares
};

/// A tensor that learns in a phase, and where its gradient is: floats from the start of the gradients.
struct LearningTensor {
  int tensor = 0;
  std::size_t gradient_offset = 0;
};

struct PhaseDescription {
  std::string_view name{};
  int epochs = 0;
  bool has_optimizer = true;  // false: carried over from the phase before
  OptimizerDescription optimizer{};
  std::span<const LearningTensor> learning{};  // in definition order
  std::size_t gradients = 0;                   // floats
  std::span<const LayerWork> work{};           // of a step: one for each layer
};

/// The transforms of `prepare` and `augment`, named as in the language.
enum class TransformKind {
  kResize,
  kResizeShort,
  kCenterCrop,
  kPad,
  kGrayscale,
  kRgb,
  kNormalize,
  kRandomCrop,
  kRotate,
  kShift,
  kZoom,
  kHflip,
  kVflip,
  kBrightness,
  kContrast
};

struct TransformDescription {
  TransformKind kind = TransformKind::kResize;
  int height = 0, width = 0;  // kResize and the crops
  int amount = 0;             // pixels: the short side, or the zeros on each side
  double strength = 0;        // degrees of kRotate, a probability of flips, else a fraction
  std::span<const float> mean{}, std_deviation{};  // kNormalize: one a channel
};

enum class SplitKind { kNone, kFraction, kCount, kTest };

struct SplitDescription {
  SplitKind kind = SplitKind::kNone;
  double fraction = 0;
  std::int64_t count = 0;
};

enum class SourceKind { kNone, kIdx, kCifar10, kFolder, kList };

struct DataDescription {
  std::string_view name{};
  SourceKind source = SourceKind::kNone;
  std::string_view directory{};  // or the list, as written in the spec, relative to --root
  SplitDescription validation{};
  SplitDescription test{};
  std::span<const std::string_view> class_names{};  // empty: the files name them
  std::span<const TransformDescription> prepare{};
  std::span<const TransformDescription> augment{};  // of the training part
};

enum class LossKind { kNone, kCrossEntropy, kMeanSquaredError, kBinaryCrossEntropy, kLenet5Map };

struct CheckpointDescription {
  std::string_view file{};
  std::string_view monitor{};
};

/// `init PATH from "FILE"`: a part of the model that begins with the weights of a file.
struct InitialWeightsDescription {
  std::string_view path{};     // as the spec has it: "backbone"
  std::string_view prefix{};   // of its tensors' names: "backbone"; empty where the path names no single part
  std::string_view section{};  // what the model that it is taken from calls it; empty: from no other, or all of it
  std::string_view file{};     // relative to --root
  bool by_order = false;
  std::span<const int> tensors{};  // in definition order
};

struct TrainingDescription {
  LossKind loss = LossKind::kNone;
  std::span<const std::string_view> metrics{};  // "accuracy", "top5"
  std::uint64_t seed = 0;
  int save_every = 0;  // steps; 0: only at the end of an epoch
  std::span<const CheckpointDescription> checkpoints{};
  std::span<const InitialWeightsDescription> initial_weights{};  // later ones win
  std::span<const PhaseDescription> phases{};  // empty: the model only predicts
};

/// The arena, in floats. Regions follow one another in this order; activations are shared by all of the
/// model's functions.
struct MemoryDescription {
  std::size_t parameters = 0;  // statistics included
  std::size_t gradients = 0;   // of the phase that needs most
  std::size_t optimizer = 0;   // moments
  std::size_t activations = 0;  // and what all threads share of a call's scratch
  std::size_t thread_scratch = 0;  // for each thread
  // Of a model that works in parts: gradients of all parts; for each thread the activations and the shared scratch of one.
  std::size_t part_gradients = 0;
  std::size_t part_activations = 0;
  std::size_t part_scratch = 0;
};

/// All of a generated model's constants.
struct ModelDescription {
  std::string_view name{};       // "LeNet5"
  std::string_view program{};    // "lenet5"
  std::string_view spec{};       // file name only
  std::string_view version{};    // of the compiler
  std::string_view spec_hash{};  // semantic: 16 hexadecimal digits
  std::string_view rendered{};   // the spec, fully expanded
  std::array<int, 3> input{};    // channels, height, width
  int outputs = 0;               // numbers per image
  bool outputs_logits = false;  // the training function's scores are logits: softmax is added for predictions
  int batch = 1;                // the largest batch the plan is made for
  int part = 0;                 // images that a task takes through all layers by itself; 0: all threads work on each layer
  int predicted = 0;            // images that a prediction takes at a time; 0: all that it is given
  std::span<const TensorDescription> tensors{};
  std::span<const LayerDescription> layers{};
  std::span<const LayerWork> predict_work{};  // of a prediction: one for each layer
  std::span<const std::string_view> auxiliaries{};  // heads beside the model's own, as they begin tensors' names
  DataDescription data{};
  TrainingDescription training{};
  MemoryDescription memory{};
};

}  // namespace cnn
