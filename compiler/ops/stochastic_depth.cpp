// The card of `stochastic_depth`.
#include "ops/cards.hpp"
#include "ops/map.hpp"

namespace cnnc::ops {

namespace {

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  auto fields = map_geometry(context);
  fields.push_back({"rate", context.arguments.number("rate")});
  fields.push_back({"stream", context.stream});
  return fields;
}

}  // namespace

ir::OpDef stochastic_depth_card() {
  using ir::Role;
  const auto call = [](std::string_view function, Role to, Role from) {
    return ir::CallDef{function, {to, from, Role::kGeometry, Role::kBatch, Role::kRandom}};
  };
  return {
      .name = "stochastic_depth",
      .summary =
          "In training sets a whole image's branch to 0 with probability `rate` and scales the others by 1 / "
          "(1 - rate) "
          "(Huang et al. 2016; torchvision's mode \"row\").",
      .arguments = {{.name = "rate",
                     .type = ir::ArgumentType::kNumber,
                     .default_value = {},
                     .summary = "The probability that an image goes without this branch.",
                     .positional = true,
                     .minimum = 0,
                     .maximum = 1}},
      .traits = {.elementwise = true, .random = true, .identity_in_inference = true},
      .infer = infer_same_shape,
      .geometry_type = "StochasticDepthGeometry",
      .geometry = geometry,
      .training = {.forward = call("stochastic_depth", Role::kOutput, Role::kInputs),
                   .backward_input = call("stochastic_depth_backward_input", Role::kDInput, Role::kDOutput),
                   .backward_params = {}},
  };
}

}  // namespace cnnc::ops
