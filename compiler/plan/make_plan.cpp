// The planner's table of contents.
#include "plan/make_plan.hpp"

#include <algorithm>

#include "plan/function_builder.hpp"
#include "plan/lanes.hpp"
#include "plan/parts.hpp"
#include "plan/place_buffers.hpp"
#include "plan/repeat_calls.hpp"
#include "support/internal_error.hpp"

namespace cnnc::plan {

namespace {

constexpr std::int64_t kAlignment = 16;  // floats: tensors begin on a cache line

std::int64_t aligned(std::int64_t floats) {
  return (floats + kAlignment - 1) / kAlignment * kAlignment;
}

std::vector<PlacedParameter> place_parameters(const ir::Graph& graph, std::int64_t& floats) {
  std::vector<PlacedParameter> placed;
  UniqueNames names;
  for (const ir::Parameter& parameter : graph.parameters) {
    placed.push_back({parameter, floats, names.give(identifier(parameter.name))});
    floats += aligned(parameter.elements());
  }
  return placed;
}

// What learns in a phase: every parameter of every layer that is not frozen. Gradients lie close together.
PlannedPhase plan_phase(const ir::Graph& graph, const ir::Phase& phase) {
  PlannedPhase planned{.phase = phase, .learning = {}, .gradient_offsets = {}, .gradient_floats = 0};
  for (std::size_t i = 0; i < graph.parameters.size(); ++i) {
    const ir::Parameter& parameter = graph.parameters[i];
    if (parameter.statistic || phase.frozen.at(static_cast<std::size_t>(parameter.layer.index))) continue;
    planned.learning.push_back(static_cast<int>(i));
    planned.gradient_offsets.push_back(planned.gradient_floats);
    planned.gradient_floats += aligned(parameter.elements());
  }
  return planned;
}

bool has_targets(const ir::Training& training) {
  return training.loss == ir::Loss::kCrossEntropy && (training.label_smoothing != 0 || !training.class_weights.empty());
}

std::int64_t moments(const ir::Training& training) {
  std::int64_t most = 0;
  for (const ir::Phase& phase : training.phases) {
    if (!phase.optimizer) continue;
    using Kind = ir::Optimizer::Kind;
    const Kind kind = phase.optimizer->kind;
    const std::int64_t velocities = phase.optimizer->momentum != 0 ? 1 : 0;
    most = std::max(most, kind == Kind::kSgd ? velocities : kind == Kind::kRmsprop ? 1 + velocities : 2);
  }
  return most;
}

std::vector<LayerRow> layer_rows(const ir::Graph& graph, const std::vector<PlannedPhase>& phases) {
  std::vector<LayerRow> rows;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const ir::Layer& layer = graph.layers[i];
    LayerRow row{.path = layer.path,
                 .type = std::string(layer.op->name),
                 .activation = layer.activation != nullptr ? std::string(layer.activation->name) : "",
                 .output = {},
                 .line = layer.line,
                 .frozen_in = {}};
    row.auxiliary = std::ranges::any_of(graph.auxiliaries, [&](const ir::AuxiliaryHead& head) {
      return layer.path.starts_with(head.path + ".");
    });
    for (const ir::Node& node : graph.nodes) {
      if (node.layer.index != static_cast<int>(i)) continue;
      row.output = to_text(graph.tensor(node.output).shape);
      const auto shapes = graph.input_shapes(node);
      if (node.op->macs != nullptr) row.macs += node.op->macs(graph.context(node, shapes, 1, 1));
    }
    for (const ir::Parameter& parameter : graph.parameters) {
      if (parameter.layer.index != static_cast<int>(i)) continue;
      (parameter.statistic ? row.statistics : row.parameters) += parameter.elements();
    }
    for (const PlannedPhase& phase : phases) {
      if (phase.phase.frozen[i] && row.parameters > 0) row.frozen_in.push_back(phase.phase.name);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::int64_t most_images_of_call(const ir::Graph& graph, std::int64_t batch) {
  const std::int64_t part = choose_part(graph, batch);
  return part > 0 ? part : batch;
}

class Planning {
 public:
  Planning(const ir::Graph& graph, const PlanRequest& request)
      : graph_(graph), request_(request),
        geometries_(choose_block(graph, request.batch), most_images_of_call(graph, request.batch)) {
    plan_.model = graph.name;
    plan_.program = request.program;
    plan_.input = graph.tensor(graph.input).shape;
    plan_.output = graph.tensor(graph.output).shape;
    plan_.batch = request.batch;
    plan_.block = choose_block(graph, request.batch);
    plan_.part = choose_part(graph, request.batch);
    plan_.data = request.data;
    plan_.training = request.training;
    for (const ir::AuxiliaryHead& head : graph.auxiliaries) plan_.auxiliaries.push_back(ir::weight_path(head.path));
  }

  Plan make() {
    plan_.parameters = place_parameters(graph_, plan_.memory.parameters);
    if (request_.training) plan_training(*request_.training);
    const ir::NodeId last = graph_.tensor(graph_.output).producer;
    const bool probabilities = last.valid() && graph_.node(last).op->traits.probabilities;
    const bool cross_entropy = request_.training && request_.training->loss == ir::Loss::kCrossEntropy;
    plan_.outputs_logits = cross_entropy && !probabilities;
    add_function(FunctionKind::kPredict, -1, "predict");
    plan_.layers = layer_rows(graph_, plan_.phases);
    plan_.depth = ir::depth(graph_);
    plan_.geometries = geometries_.take();
    for (const Geometry& geometry : plan_.geometries) {
      for (const auto* sizes : {&geometry.scratch, &geometry.predicted_scratch}) {
        for (const auto& [function, size] : *sizes) {
          plan_.memory.thread_scratch = std::max(plan_.memory.thread_scratch, aligned(size.per_thread));
          // Elsewhere it lies among the activations.
          if (plan_.part > 0) plan_.memory.part_scratch = std::max(plan_.memory.part_scratch, aligned(size.shared));
        }
      }
    }
    if (plan_.part > 0) plan_.memory.part_gradients = (plan_.batch + plan_.part - 1) / plan_.part * plan_.memory.gradients;
    return std::move(plan_);
  }

 private:
  void plan_training(const ir::Training& training) {
    UniqueNames names(reserved_names());
    std::vector<bool> ever(graph_.parameters.size(), false);
    for (const ir::Phase& phase : training.phases) {
      plan_.phases.push_back(plan_phase(graph_, phase));
      for (const int parameter : plan_.phases.back().learning) ever[static_cast<std::size_t>(parameter)] = true;
      plan_.memory.gradients = std::max(plan_.memory.gradients, plan_.phases.back().gradient_floats);
    }
    for (std::size_t i = 0; i < ever.size(); ++i) {
      if (ever[i]) plan_.memory.optimizer += moments(training) * aligned(graph_.parameters[i].elements());
    }
    for (std::size_t i = 0; i < plan_.phases.size(); ++i) {
      add_function(FunctionKind::kStep, static_cast<int>(i), names.give("step_" + identifier(plan_.phases[i].phase.name)));
    }
    add_function(FunctionKind::kEvaluate, -1, "evaluate");
  }

  void add_function(FunctionKind kind, int phase, std::string name) {
    const bool step = kind == FunctionKind::kStep;
    const bool logits = kind != FunctionKind::kPredict && request_.training->loss == ir::Loss::kCrossEntropy;
    std::vector<bool> inference(graph_.layers.size(), true);
    std::vector<bool> learns(graph_.parameters.size(), false);
    if (step) {
      const PlannedPhase& planned = plan_.phases[static_cast<std::size_t>(phase)];
      inference = planned.phase.frozen;
      for (const int parameter : planned.learning) learns[static_cast<std::size_t>(parameter)] = true;
    }
    ir::Graph whole = graph_;
    if (!step) whole.auxiliaries.clear();
    ir::Graph graph = passes::run_pipeline(whole, inference, logits, request_.observer);
    if (plan_.block == kLanesBlock) graph = on_lanes(graph, plan_.batch);
    const FunctionRequest request{.graph = graph,
                                  .inference = inference,
                                  .learns = learns,
                                  .kind = kind,
                                  .phase = phase,
                                  .name = std::move(name),
                                  .loss = request_.training ? std::optional(request_.training->loss) : std::nullopt,
                                  .has_targets = request_.training && has_targets(*request_.training),
                                  .rubbish_penalty = request_.training ? request_.training->rubbish_penalty : 0,
                                  .precision = request_.precision.value_or(
                                      request_.training ? request_.training->precision : ir::Precision::kFast),
                                  .tuning = request_.tuning,
                                  .in_parts = plan_.part > 0,
                                  .softmax_at_end = plan_.outputs_logits && kind == FunctionKind::kPredict,
                                  .taken = taken_names()};
    Function function = kind == FunctionKind::kPredict ? predict_a_few(request) : placed(request, geometries_, plan_.images_of_call());
    if (step) make_smaller(function);
    if (plan_.part > 0) {
      ensure(function.preparation.empty(), "plan", "parts can't prepare weights");
      plan_.memory.part_activations = std::max(plan_.memory.part_activations, function.arena_floats);
      plan_.functions.push_back(std::move(function));
      return;
    }
    if (!step) between_calls_ = std::max(between_calls_, function.arena_floats);
    // Behind what evaluation and prediction use, where a step's activations lie: after a step all is prepared anew.
    plan_.memory.activations =
        std::max({plan_.memory.activations, function.arena_floats, place_prepared(function, between_calls_)});
    plan_.functions.push_back(std::move(function));
  }

  Function placed(const FunctionRequest& request, Geometries& geometries, std::int64_t images) const {
    Function function = FunctionBuilder(request, geometries, plan_.block, images).build();
    place_buffers(function);
    return function;
  }

  // Predictions see each image by itself. Where a whole batch's activations are large, they take fewer images at a time; not so few that
  // weights, which are read once each time, are what takes long.
  Function predict_a_few(const FunctionRequest& request) {
    constexpr std::int64_t kMostFloats = std::int64_t{1} << 26, kLeastImages = 8;
    std::int64_t images = plan_.images_of_call();
    for (;;) {
      Geometries geometries = geometries_;
      Function function = placed(request, geometries, images);
      if (plan_.part > 0 || function.arena_floats <= kMostFloats || images < 2 * kLeastImages) {
        geometries_ = std::move(geometries);
        if (images < plan_.images_of_call()) plan_.predicted = images;
        return function;
      }
      images = (images + 1) / 2;
    }
  }

  // What is live at once is not all: places must be found for it, too.
  void make_smaller(Function& function) const {
    Function repeating = function;
    repeat_calls(repeating, plan_.batch);
    place_buffers(repeating);
    if (repeating.arena_floats < function.arena_floats) function = std::move(repeating);
  }

  // Generated functions call the gradient of `conv1_weight` d_conv1_weight.
  std::set<std::string> taken_names() const {
    std::set<std::string> names = reserved_names();
    for (const PlacedParameter& placed : plan_.parameters) names.insert("d_" + placed.identifier);
    return names;
  }

  const ir::Graph& graph_;
  const PlanRequest& request_;
  Geometries geometries_;
  std::int64_t between_calls_ = 0;  // floats that evaluation and prediction write to
  Plan plan_;
};

}  // namespace

// Kernels pack the columns of several images into a tile, so that maps of few pixels starve no product: images one after
// the other, [N][C][H][W], serve every network but the smallest.
std::int64_t choose_block(const ir::Graph& graph, std::int64_t batch) {
  return suits_lanes(graph, batch) ? kLanesBlock : 1;
}

Plan make_plan(const ir::Graph& graph, const PlanRequest& request) {
  ensure(request.batch >= 1, "plan", "a plan for no images");
  return Planning(graph, request).make();
}

}  // namespace cnnc::plan
