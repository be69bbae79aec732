// Builds one function of the plan: forward steps over shared storage, the loss, and what follows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "plan/fusion.hpp"
#include "plan/geometries.hpp"
#include "plan/names.hpp"
#include "plan/plan.hpp"
#include "plan/storage.hpp"

namespace cnnc::plan {

/// What a function is built from.
struct FunctionRequest {
  const ir::Graph& graph;                 // after the pipeline
  std::vector<bool> inference;            // by layer: runs as at prediction time
  std::vector<bool> learns;               // by parameter
  FunctionKind kind = FunctionKind::kPredict;
  int phase = -1;
  std::string name;
  std::optional<ir::Loss> loss;
  bool has_targets = false;               // cross-entropy with weights of classes or smoothed labels
  double rubbish_penalty = 0;             // of the loss lenet5_map
  ir::Precision precision = ir::Precision::kFast;
  const Tuning& tuning;                   // choices that win over the cost model's
  bool in_parts = false;                  // each part has scratch memory of its own
  bool softmax_at_end = false;            // predict: the model itself ends with logits
  std::set<std::string> taken;            // names that are not free for buffers
};

/// State while one function is built; differentiate() adds the backward half.
class FunctionBuilder {
 public:
  FunctionBuilder(const FunctionRequest& request, Geometries& geometries, std::int64_t block, std::int64_t batch);

  /// Forward, loss, backward, in that order; buffers not yet placed.
  Function build();

 private:
  void decide_modes();
  void forward();
  void forward_node(std::size_t number);
  void copy_arms(const ir::Node& node);
  void finish();
  void add_auxiliary_loss(const ir::AuxiliaryHead& head, bool cross_entropy);
  void backward();
  void backward_node(std::size_t number);
  void backward_inputs(std::size_t number, const ir::Node& node, int d_output);
  int gradient_of(ir::TensorId value);
  bool mode_has_backward(std::size_t number) const {
    return modes_[number].calls->backward_input.has_value() || modes_[number].calls->backward.has_value();
  }
  std::optional<int> sum_to_add_to(ir::TensorId value, std::size_t number) const;
  void call_backward(std::size_t number, int position, int d_output);
  void backward_siblings(const JoinedNodes& siblings, std::size_t number, int d_output);
  bool overlap(int a, int b) const;
  bool exclusive(int buffer, ir::TensorId value, std::size_t number) const;
  void add_gradient(ir::TensorId value, int buffer);

  static std::size_t index(ir::TensorId value) { return static_cast<std::size_t>(value.index); }
  std::string value_name(ir::TensorId value) const;
  bool continued_in_place(ir::TensorId value) const;
  int buffer_of(ir::TensorId value);
  int new_blocked(const std::string& name, const ir::Shape& shape);
  int new_slice(const std::string& name, const ir::Shape& shape, int of, std::int64_t begin);
  int saved_of(std::size_t number);
  ir::SavedSize saved_size(std::size_t number) const;
  void take_scratch(Step& step, const ir::ScratchSize& size);
  int new_prepared(const std::string& name, std::int64_t elements);
  void call_affine(std::size_t number, std::size_t head);
  PartOperand part_of(std::size_t number, const JoinedNodes& joined, Step& step);
  int geometry_of(const JoinedNodes& joined);
  const ir::ScratchSize& scratch_of(const JoinedNodes& joined) const;
  void call_chain(std::size_t head, const JoinedNodes& chain);
  std::string reason_of(const JoinedNodes& siblings) const;
  Repetition alone(std::size_t number, const JoinedNodes& siblings);
  void call_siblings(std::size_t head, const JoinedNodes& siblings);
  bool prepares(std::size_t number) const;
  std::optional<int> prepare(const ir::CallDef& definition, std::size_t number, const ir::OpContext& context);
  /// What a call of a node is given beside the node's own buffers: gradients, and which input it is for.
  struct CallOf {
    std::size_t node = 0;
    int d_output = -1, d_input = -1, input = 0;
    bool add = false;  // to what d_input holds
    std::string_view through = {};  // the activation whose output d_input holds, and whose input's gradient it gets
  };
  void call(ir::Pass pass, const CallOf& of);
  void call(const ir::CallDef& definition, const CallOf& of, std::string reason = {});
  Repetition repetition_of(const ir::CallDef& definition, const CallOf& of);
  void append_role(ir::Role role, const CallOf& of, std::vector<Operand>& operands);
  LoadedOperand loaded(ir::TensorId value);
  EpilogueOperand epilogue_of(std::size_t number);
  void append_absorbed(std::size_t number, Step& step) const;

  const FunctionRequest& request_;
  const ir::Graph& graph_;
  Geometries& geometries_;
  std::int64_t block_, batch_;
  UniqueNames names_;
  std::vector<NodeMode> modes_;
  std::vector<bool> needs_gradient_;              // by value
  StorageMap storage_;
  std::map<int, int> buffers_;                    // value -> buffer
  std::map<std::tuple<int, std::int64_t, std::string>, int> slices_;  // root buffer, begin, shape -> buffer
  std::map<std::size_t, int> saved_;              // node -> buffer
  std::map<std::size_t, int> waiting_;            // siblings whose input's gradient waits for the first -> the output's gradient
  std::vector<std::vector<int>> contributions_;   // by value: buffers whose sum is its gradient
  std::vector<std::vector<ir::TensorId>> owners_;  // by buffer: the values whose gradient it is
  Fusion fusion_;
  Function function_;
};

}  // namespace cnnc::plan
