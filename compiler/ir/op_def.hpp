// The op card: all that the compiler knows of a layer. Cards stand in compiler/ops, one file each; sema checks arguments
// against them, lower asks them for shapes and parameters, the planner asks what to call and what to keep.
// Nobody switches on an op's name: what else must be known is a trait.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onnx.hpp"
#include "precision.hpp"
#include "shape.hpp"
#include "support/diagnostics.hpp"
#include "value.hpp"

namespace cnnc::ir {

// ---------- arguments ----------

enum class ArgumentType {
  kInteger,     // 64
  kPair,        // 3 or 1x7: height x width
  kPadding,     // 1, 0x3, same
  kNumber,      // 0.5
  kBoolean,     // true
  kWord,        // one of `choices`
  kActivation,  // the name of an op whose trait `activation` is set, or identity
  kText,        // "best.safetensors"
  kNumbers,     // [0.2, 1, 3], or one number
  kPart,        // of the data: 0.1, 500, or one of `choices`
};

struct ArgumentDef {
  std::string_view name;
  ArgumentType type;
  std::optional<Value> default_value;      // none: must be given
  std::string_view summary;                // a sentence, for `describe`
  bool positional = false;                 // positional arguments come first, in the table's order
  double minimum = -1e300;                 // inclusive, for each number
  double maximum = 1e300;
  std::vector<std::string_view> choices = {};  // kWord, kPadding: the words it takes
  /// Values that it takes beside those of its type, such as a table; null: none. `also_text` says it in messages.
  bool (*also)(const Value&) = nullptr;
  std::string_view also_text = {};
};

// ---------- shapes and parameters ----------

/// Where a parameter's first values come from. `fan_in` and `fan_out` as PyTorch's `_calculate_fan_in_and_fan_out` has them.
struct Initializer {
  enum class Kind { kConstant, kUniform, kNormal } kind = Kind::kConstant;
  double value = 0;  // the constant; the bound of U(-value, value); the standard deviation of N(0, value^2)
};

struct ParameterDef {
  std::string_view name;                 // "weight", "running_mean"
  std::vector<std::int64_t> extents;     // PyTorch's order: [out, in / groups, kh, kw], [out, in], [channels]
  Initializer initializer;
  bool statistic = false;                // updated by the forward pass, never by an optimizer
};

struct Inferred {
  Shape output;
  std::vector<ParameterDef> parameters = {};
};

/// What is wrong with a layer where it stands. `argument` says which argument to point at; empty: the whole layer.
struct Mistake {
  std::string_view id;
  std::string text;
  std::string argument;
  std::string label = {};
  std::string help = {};
  int input = -1;  // for merges: the arm to point at
};

template <class... Args>
Mistake mistake(const Message<Args...>& message, std::string argument, const std::type_identity_t<Args>&... args) {
  return {message.id, fmt::vformat(message.text, fmt::make_format_args(args...)), std::move(argument)};
}

using Inference = std::variant<Inferred, Mistake>;

// ---------- calls ----------

struct OpContext;
struct OpDef;

/// An operand by its role; the planner puts buffers in their place. The order in every call:
/// outputs, inputs, parameters, geometry, batch, random, scratch.
enum class Role {
  kOutput,        // the node's output
  kInputs,        // each of the node's inputs in order (for a merge: one braced list)
  kLoaded,        // the same, where the kernel can scale, shift and cut off what it loads: cnn::Loaded
  kSaved,         // what forward keeps for backward beside input and output; left out of forward where backward needs none
  kDOutput,       // the gradient of the output
  kDInput,        // the gradient of the one input this call is for
  kInputNumber,   // which input that is, from 0
  kParameters,    // the node's trainable parameters in order
  kWeight,        // the first of them
  kEpilogue,      // what the kernel does to a sum before it stores it, the bias first: cnn::Epilogue
  kActivation,    // an activation that cuts off, done on the way: cnn::Activation
  kStatistics,    // the node's statistics in order
  kDParameters,   // the gradients of its trainable parameters in order
  kGeometry,      // the node's constexpr geometry
  kBatch,         // the number of images
  kRandom,        // the step's random key
  kScratch,       // the team's scratch memory
};

/// Floats a call needs beside its operands; `least_shared`, where it is not 0, does as well, but takes longer.
struct ScratchSize {
  std::int64_t per_thread = 0;
  std::int64_t shared = 0;
  std::int64_t least_shared = 0;

  std::int64_t least() const { return least_shared > 0 ? least_shared : shared; }
};

/// For a call with kScratch: how much, and the constexpr function in namespace cnn that must say the same.
struct ScratchDef {
  std::string_view function = {};
  ScratchSize (*size)(const OpContext&) = nullptr;
};

/// For a call that packs its weights into the shared scratch: the function that does so ahead of time (prepared weights,
/// weights, geometry), and the scratch that is needed then.
struct PrepareDef {
  std::string_view function = {};
  std::int64_t (*floats)(const OpContext&) = nullptr;
  ScratchDef scratch = {};
};

struct CallDef {
  std::string_view function = {};  // in namespace cnn
  std::vector<Role> operands = {};
  ScratchDef scratch = {};
  PrepareDef prepare = {};
  bool in_place = false;     // backward: kDInput may be kDOutput
  bool accumulates = false;  // backward: kDInput may be added to: cnn::Result
  bool cuts_off = false;     // backward: kDInput may take the place of an activation's output, as the gradient of that one's input: cnn::Result

  bool takes(Role role) const { return std::ranges::find(operands, role) != operands.end(); }
};

enum class Pass { kForward, kBackwardInput, kBackwardParams, kBackward };

/// One of the ways a card knows for a pass of a layer.
struct Candidate {
  std::string_view name;          // "winograd", as tuning files have it
  const CallDef* call = nullptr;
  std::string obstacle = {};      // why it is closed to these shapes and this precision: "the kernel is 5x5"; empty: open
};

/// All ways, closed ones included, which of them the card chose, and why, for `explain`.
struct Decision {
  std::vector<Candidate> candidates;
  std::size_t chosen = 0;
  std::string reason;
};

/// The calls of one way to run a layer. What must be kept for backward is what its operands name (kInputs, kOutput, kSaved).
struct Calls {
  CallDef forward = {};
  std::optional<CallDef> backward_input = {};
  std::optional<CallDef> backward_params = {};
  /// Both at once, where a kernel does that.
  std::optional<CallDef> backward = {};
  /// Where the output is a scale and a shift of each channel: writes them to kSaved, first the scales, then the shifts, so
  /// that who reads the output can make it himself. All of kSaved is a number a channel of each of some kinds, and its type
  /// cnn::ChannelTable, so that it can be part of the table of a concat.
  std::optional<CallDef> as_affine = {};
};

/// What forward keeps: `elements` floats or bytes.
struct SavedSize {
  std::int64_t elements = 0;
  bool bytes = false;
};

/// A member of the geometry struct: `.stride_height = 2`, `.inputs = {7, 14}`.
struct GeometryField {
  std::string_view name;
  std::variant<std::int64_t, double, bool, std::vector<std::int64_t>> value;
};

/// What a card may ask about the layer it is asked for.
struct OpContext {
  std::span<const Shape> inputs;
  const ArgumentValues& arguments;
  Shape output = {};           // known after inference
  std::int64_t block = 1;      // NB: 1 is NCHW, 16 lanes
  std::int64_t batch = 1;      // the largest batch
  bool prepared = false;       // whether the call is given weights as its card's preparation makes them
  bool mapped = false;         // whether it maps its input as it loads it
  std::int64_t stream = 0;     // a number of its own for each layer with the trait `random`
};

/// A layer of several that one kernel may run.
struct JoinedLayer {
  const OpDef* op = nullptr;
  const OpContext* context = nullptr;
};

/// The kernel for such layers. Weights are stored, or prepared as the layer's own call prepares them.
/// Of a chain, where each layer reads the one before and nothing between them is stored: function(output, input (cnn::Loaded),
/// {weight, epilogue} of each layer, geometry, batch, scratch).
/// Of siblings, which read the same map: function({{output, weight, epilogue} of each layer}, input, geometry, batch, scratch); and for
/// the map's gradient backward_input(d_input (cnn::Result), {{d_output, weight} of each}, geometry, batch, scratch).
struct JoinedKernel {
  std::string_view function;  // in namespace cnn
  std::string_view geometry_type;
  std::vector<GeometryField> geometry;
  std::string_view scratch_function, prepared_scratch_function;
  ScratchSize scratch, prepared_scratch;
  std::string reason;         // why it is quicker, for `explain`
  // Of siblings: the gradient's call, and the forward call of one alone, which prepares its weights.
  std::string_view backward_input = {}, backward_input_scratch_function = {};
  ScratchSize backward_input_scratch = {};
  const CallDef* alone = nullptr;
};

struct Traits {
  bool activation = false;        // may stand in `act=`
  bool elementwise = false;       // output may take the input's place in memory where nobody else reads the input
  bool merge = false;             // takes arms: add, concat
  bool sums = false;              // a merge: the output is the sum of the inputs
  bool monotone = false;          // elementwise and nondecreasing: comes to the same before and after `selects`
  bool selects = false;           // the output's elements are some of the input's, the largest of each window
  bool passes_gradient = false;   // each input's gradient is the output's
  bool placement = false;         // the output is its inputs one after the other along the channels: no call, but places
  bool view = false;              // no call where the layout does not change (see `is_view`)
  bool random = false;            // draws random numbers in training
  bool batch_statistics = false;  // uses the batch's statistics in training
  bool identity_in_inference = false;
  bool probabilities = false;     // turns logits into probabilities; cross_entropy fuses with it
  std::string_view cuts_off = {};  // the enumerator of cnn::Activation for an activation that other kernels do on the way
};

/// An op card.
struct OpDef {
  std::string_view name;      // the word in a spec, the card's file, the kernel's file, cnn::name
  std::string_view summary;   // one sentence
  std::vector<ArgumentDef> arguments = {};
  Traits traits = {};

  Inference (*infer)(const OpContext&);
  /// Multiply-accumulates for one image; null: none.
  std::int64_t (*macs)(const OpContext&) = nullptr;

  std::string_view geometry_type = {};  // "ConvGeometry"; null `geometry`: takes none
  std::vector<GeometryField> (*geometry)(const OpContext&) = nullptr;

  Calls training = {};
  std::optional<Calls> inference = {};  // where running frozen or at prediction differs from training
  SavedSize (*saved)(const OpContext&) = nullptr;
  /// Where a pass can be computed in several ways: which one these shapes call for; null: as `training` and `inference` say.
  Decision (*decide)(const OpContext&, Pass, Precision) = nullptr;
  /// The kernel for a chain of layers with this one among them, none of which learns, where there is one that gains; null: none.
  std::optional<JoinedKernel> (*chain)(std::span<const JoinedLayer>) = nullptr;
  /// The kernel for layers that read the same map, where there is one that gains: all of them have this function. It takes only
  /// layers whose forward pass is open to no algorithm but this kernel's. Null: none.
  std::optional<JoinedKernel> (*siblings)(std::span<const JoinedLayer>, Precision) = nullptr;
  /// For the trait `view`: whether these shapes and block need no call.
  bool (*is_view)(const OpContext&) = nullptr;
  /// The layer in ONNX's operators, as it runs at prediction time; null where nothing is left of it then.
  OnnxForm (*onnx)(const OpContext&) = nullptr;
  /// The card of the kernel that runs the layer where its arguments and shapes call for another than this card's; null:
  /// this one. It infers the same shapes and parameters, and is no word of the language.
  const OpDef* (*kernel)(const OpContext&) = nullptr;
  /// The card of the kernel that runs the layer on lanes, [N/16][C][H][W][16]; it returns null for shapes that are better off
  /// elsewhere. Null itself: elementwise layers, and all between flat tensors, run there as they are; others can't.
  const OpDef* (*lanes)(const OpContext&) = nullptr;
};

/// The card whose calls run a layer: the card itself, or what its `kernel` says.
const OpDef& kernel_card(const OpDef& card, const OpContext& context);

/// Whether programs with this layer can be generated. A layer without kernels can be checked and summed up only.
bool has_kernels(const OpDef& card);

/// The arguments of a layer that writes none, as of an activation in `act=`; each must have a default.
ArgumentValues default_arguments(const OpDef& card);

/// Every op card by name, in the order of the reference. Built by ops::registry(), handed down by the driver.
class OpRegistry {
 public:
  explicit OpRegistry(std::vector<OpDef> definitions);
  const OpDef* find(std::string_view name) const;
  std::span<const OpDef> all() const { return definitions_; }

 private:
  std::vector<OpDef> definitions_;
};

}  // namespace cnnc::ir
