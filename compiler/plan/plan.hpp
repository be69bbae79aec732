// The plan: what the generated program does, as a value. Functions are lists of steps over buffers with places in one arena.
// The planner decides all of it; the emitter only writes it down.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/graph.hpp"
#include "ir/training.hpp"
#include "plan/tuning.hpp"

namespace cnnc::plan {

/// A piece of the activations' region. `name` is unique in its function and an identifier.
struct Buffer {
  std::string name;
  enum class Kind { kBlocked, kFloats, kBytes, kScratch } kind = Kind::kBlocked;  // kScratch: what all threads share in one call
  ir::Shape shape;             // kBlocked
  std::int64_t elements = 0;   // count; kBlocked: floats of all its blocks
  std::int64_t stride = 0;     // kBlocked: floats from one block to the next; kFloats, a slice: the channels of the whole table
  int slice_of = -1;           // a slice of another buffer's channels: no memory of its own
  std::int64_t slice_begin = 0;  // floats into each block of that buffer, or the first channel of its table
  std::int64_t offset = 0;     // floats, from the start of the activations
  int first = 0, last = 0;     // steps between which it holds something
  int gap_begin = -1, gap_end = -1;  // but for those between these, where that is made once more
  bool prepared = false;       // filled by Function::preparation, and kept from call to call
  bool given = false;          // the caller's images, where they lie

  /// Whether it has a place of its own among the activations.
  bool has_place() const { return slice_of < 0 && !prepared && !given; }
  std::int64_t floats() const { return kind == Kind::kBytes ? (elements + 3) / 4 : elements; }
};

/// The constexpr geometry of a layer's kernel.
struct Geometry {
  std::string name;  // "kConv1"
  std::string type;  // "ConvGeometry"
  std::vector<ir::GeometryField> fields;
  std::map<std::string, ir::ScratchSize> scratch = {};  // what its calls need, by the function that says so
  std::map<std::string, ir::ScratchSize> predicted_scratch = {};  // those of predictions that take fewer images than the batch
  std::map<std::string, std::int64_t> prepared = {};     // floats of prepared weights, in the same way
};

// Operands of a call.
struct BufferOperand { int buffer; bool read_only = false; };
/// A map as its reader loads it: scaled and shifted by what `affine` holds (-1: as it is), then cut off.
struct LoadedOperand { int buffer; int affine = -1; std::string_view activation = {}; };
struct LoadedListOperand { std::vector<LoadedOperand> arms; };
/// A gradient that is added to what the buffer holds.
struct AddedOperand { int buffer; };
/// A gradient in place of an activation's output, through that activation.
struct ReplacedOperand { int buffer; std::string_view activation; };
struct EpilogueOperand { int bias = -1, affine = -1, addend = -1; std::string_view activation = {}; };
struct ActivationOperand { std::string_view activation; };
struct ParameterOperand { int parameter; };
/// Weights as the buffer has them, prepared.
struct PreparedOperand { int buffer; };
/// A layer of a chain: its weights, prepared if a buffer has them so, and what becomes of its sums.
struct PartOperand { int parameter; int prepared = -1; EpilogueOperand epilogue = {}; };
/// Layers of a call that read the same map, and where each one's output goes.
struct SiblingsOperand {
  struct Sibling {
    int output;
    PartOperand part;
  };
  std::vector<Sibling> siblings;
};
/// The gradients of their outputs, each with the layer's weights.
struct SiblingGradientsOperand {
  struct Sibling {
    int d_output;
    int parameter;
  };
  std::vector<Sibling> siblings;
};
struct GradientOperand { int parameter; };
struct GeometryOperand { int geometry; };
/// The team's scratch memory; what all threads share of it is the buffer.
struct ScratchOperand { int buffer; };
struct NumberOperand { double value; };
struct IntegerOperand { int value; };
enum class Named { kImages, kLabels, kBatch, kRandom, kScratch /* of threads alone, or of a part */, kLosses, kScores, kTargets, kLossBatch };
using Operand = std::variant<BufferOperand, LoadedOperand, LoadedListOperand, AddedOperand, ReplacedOperand, EpilogueOperand, ActivationOperand,
                             ParameterOperand, PreparedOperand, PartOperand, SiblingsOperand, SiblingGradientsOperand, GradientOperand,
                             GeometryOperand, ScratchOperand, NumberOperand, IntegerOperand, Named>;

/// Whom for_each_memory() tells what a call reads or writes.
struct MemoryVisitor {
  std::function<void(int buffer)> buffer;
  std::function<void(int parameter)> parameter = [](int) {};  // or its gradient
};
/// All memory behind an operand; what is added to twice.
void for_each_memory(const Operand& operand, const MemoryVisitor& visitor);

/// A call that makes once more one buffer that a step has written, which is its first operand.
struct Repetition {
  std::string function;
  std::vector<Operand> operands;
  std::optional<ir::LayerId> layer;
  std::int64_t macs = 0;
  ir::ScratchSize scratch = {};
};

/// One call. `layer` says which line of the spec it comes from (none: the frame around the layers).
struct Step {
  std::string function;
  std::vector<Operand> operands;
  std::optional<ir::LayerId> layer;
  std::vector<ir::LayerId> also = {};  // layers that it does on the way
  std::string reason = {};  // why this function, where the layer's card had a choice
  std::optional<Choice> choice = {};  // between which algorithms
  std::int64_t macs = 0;    // for an image
  ir::ScratchSize scratch = {};
  std::vector<Repetition> again = {};  // of a call of the forward half that can be made twice: one for each buffer; empty: it can't
  bool repeated = false;    // makes once more what was not kept
};

/// What a function is for; a phase's step also knows the phase.
enum class FunctionKind { kStep, kEvaluate, kPredict };

struct Function {
  FunctionKind kind = FunctionKind::kStep;
  std::string name;               // "step_main", "evaluate", "predict"
  int phase = -1;
  std::vector<Buffer> buffers;
  std::vector<Step> preparation = {};  // of a prediction: what only has to be done where weights have changed
  std::vector<Step> steps;
  int backward_begin = -1;        // index of the first backward step
  std::int64_t arena_floats = 0;  // of activations, as placed
  std::int64_t bound_floats = 0;  // the least any placement needs: the most that is live at once
  std::string remark;             // why back-propagation stops where it does
};

/// Gives a step of `function` a buffer for its shared scratch.
void share_scratch(Function& function, Step& step);

/// A tensor of the model and its place among the parameters.
struct PlacedParameter {
  ir::Parameter parameter;
  std::int64_t offset = 0;        // floats
  std::string identifier;         // "conv1_weight"
};

/// A phase with the tensors that learn in it.
struct PlannedPhase {
  ir::Phase phase;
  std::vector<int> learning;                     // parameters
  std::vector<std::int64_t> gradient_offsets;    // floats, one for each
  std::int64_t gradient_floats = 0;
};

/// A line of the summary: a layer as the spec has it.
struct LayerRow {
  std::string path, type, activation, output;
  std::int64_t parameters = 0;
  std::int64_t statistics = 0;
  std::int64_t macs = 0;
  ir::SpecLine line = {};
  std::vector<std::string> frozen_in;  // phases
  bool auxiliary = false;              // in a head that only training runs
};

struct Memory {
  std::int64_t parameters = 0, gradients = 0, optimizer = 0, thread_scratch = 0;
  std::int64_t activations = 0;  // and what all threads share of a call's scratch
  // Where parts are worked on: gradients of all of them; for each thread the activations and the scratch of one.
  std::int64_t part_gradients = 0, part_activations = 0, part_scratch = 0;

  /// Of all threads; what parts' gradients are added up from is scratch.
  std::int64_t all_activations(int threads) const { return activations + threads * part_activations; }
  std::int64_t all_scratch(int threads) const { return part_gradients + threads * (thread_scratch + part_scratch); }
  std::int64_t floats(int threads) const {
    return parameters + gradients + optimizer + all_activations(threads) + all_scratch(threads);
  }
};

struct Plan {
  std::string model;              // "LeNet5"
  std::string program;            // "lenet5"
  ir::Shape input;
  ir::Shape output;
  bool outputs_logits = false;
  std::int64_t batch = 1;         // the largest
  std::int64_t block = 1;         // NB: 1, or 16 on lanes
  std::int64_t part = 0;          // images that one task takes through all layers; 0: threads share each layer's work
  std::int64_t predicted = 0;     // images that a prediction takes at a time, where they are fewer than the batch
  std::optional<ir::Data> data;
  std::optional<ir::Training> training;
  std::int64_t depth = 0;         // convolutions and dense layers on the longest way through
  std::vector<LayerRow> layers;
  std::vector<PlacedParameter> parameters;
  std::vector<std::string> auxiliaries;  // heads beside the network's own, as weights files name them
  std::vector<PlannedPhase> phases;
  std::vector<Geometry> geometries;
  std::vector<Function> functions;
  Memory memory;

  /// The most images of a call of a kernel.
  std::int64_t images_of_call() const { return part > 0 ? part : batch; }
  /// Running statistics and the like, of all layers.
  std::int64_t statistic_count() const;
  /// Parameters that can learn, not the statistics, and work for an image; of what prediction runs.
  std::int64_t parameter_count() const;
  std::int64_t mac_count() const;
  /// Parameters of auxiliary heads.
  std::int64_t auxiliary_count() const;
  /// Parameters that learn in phase `phase`.
  std::int64_t trainable_count(std::size_t phase) const;
};

/// The plan as text, for --dump=plan.
std::string dump(const Plan& plan);

}  // namespace cnnc::plan
