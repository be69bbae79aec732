// The card of `rbf`.
#include "ops/cards.hpp"
#include "support/messages.hpp"

namespace cnnc::ops {

namespace {

// The pictures of the ten digits, 7 x 12: ink is 1, paper is -1.
constexpr std::int64_t kCodeLength = 84;
constexpr std::int64_t kCodes = 10;
constexpr std::size_t kWordPixels = kCodeLength / 2;
constexpr const char* kPictures[kCodes] = {
    "..###.."
    ".#...#."
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    ".#...#."
    "..###..",
    "...#..."
    "..##..."
    ".#.#..."
    "...#..."
    "...#..."
    "...#..."
    "...#..."
    "...#..."
    "...#..."
    "...#..."
    "...#..."
    ".#####.",
    ".#####."
    "#.....#"
    "......#"
    "......#"
    ".....#."
    "....#.."
    "...#..."
    "..#...."
    ".#....."
    "#......"
    "#......"
    "#######",
    ".#####."
    "#.....#"
    "......#"
    "......#"
    "......#"
    "..####."
    "......#"
    "......#"
    "......#"
    "......#"
    "#.....#"
    ".#####.",
    ".....#."
    "....##."
    "...#.#."
    "..#..#."
    ".#...#."
    "#....#."
    "#######"
    ".....#."
    ".....#."
    ".....#."
    ".....#."
    ".....#.",
    "#######"
    "#......"
    "#......"
    "#......"
    "######."
    "......#"
    "......#"
    "......#"
    "......#"
    "......#"
    "#.....#"
    ".#####.",
    "..####."
    ".#....."
    "#......"
    "#......"
    "#.####."
    "##....#"
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    ".#####.",
    "#######"
    "......#"
    "......#"
    ".....#."
    ".....#."
    "....#.."
    "....#.."
    "...#..."
    "...#..."
    "..#...."
    "..#...."
    "..#....",
    ".#####."
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    ".#####."
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    ".#####.",
    ".#####."
    "#.....#"
    "#.....#"
    "#.....#"
    "#.....#"
    ".######"
    "......#"
    "......#"
    "......#"
    "......#"
    ".....#."
    ".####..",
};

// cnn::RbfGeometry::codes: two words a digit.
std::vector<std::int64_t> code_words() {
  std::vector<std::int64_t> words;
  for (const std::string_view picture : kPictures) {
    for (std::size_t first : {std::size_t{0}, kWordPixels}) {
      std::int64_t word = 0;
      for (std::size_t i = 0; i < kWordPixels; ++i) word |= std::int64_t{picture[first + i] == '#'} << i;
      words.push_back(word);
    }
  }
  return words;
}

ir::Inference infer(const ir::OpContext& context) {
  const ir::Shape& input = context.inputs[0];
  const std::int64_t out = context.arguments.integer("out");
  if (!input.flat) {
    ir::Mistake found = ir::mistake(messages::kNotFlat, "", "rbf", to_text(input));
    found.help = "put 'flatten' and dense(84) before it";
    return found;
  }
  if (input.channels != kCodeLength || out != kCodes) {
    return ir::mistake(messages::kCodesDoNotFit, out != kCodes ? "out" : "", input.channels, out);
  }
  return ir::Inferred{.output = {.channels = out, .flat = true}};
}

std::vector<ir::GeometryField> geometry(const ir::OpContext& context) {
  return {{"in", context.inputs[0].channels},
          {"out", context.output.channels},
          {"block", context.block},
          {"codes", code_words()}};
}

ir::OnnxForm onnx(const ir::OpContext&) {
  std::vector<float> codes;
  for (const std::string_view picture : kPictures) {
    for (const char pixel : picture) codes.push_back(pixel == '#' ? 1.0f : -1.0f);
  }
  return {.nodes = {{"Unsqueeze", {"input0", "middle"}, "rows"},
                    {"Sub", {"rows", "codes"}, "differences"},
                    {"Mul", {"differences", "differences"}, "squares"},
                    {"ReduceSum", {"squares", "last"}, "distances", {{"keepdims", std::int64_t{0}}}},
                    {"Neg", {"distances"}, "output"}},
          .constants = {ir::onnx_shape("middle", {1}),
                        ir::onnx_shape("last", {2}),
                        {"codes", {1, kCodes, kCodeLength}, std::move(codes)}}};
}

}  // namespace

ir::OpDef rbf_card() {
  using ir::Role;
  return {
      .name = "rbf",
      .summary =
          "Minus the squared distance of the input to each class's fixed code of -1 and 1 (LeCun et al. "
          "1998, eq. 7, its "
          "sign turned so that the best class has the largest score).",
      .arguments = {{.name = "out",
                     .type = ir::ArgumentType::kInteger,
                     .default_value = {},
                     .summary = "The number of classes.",
                     .positional = true,
                     .minimum = 1,
                     .maximum = 1 << 24},
                    {.name = "codes",
                     .type = ir::ArgumentType::kWord,
                     .default_value = ir::Value{ir::Word{"lenet5"}},
                     .summary = "Which codes: `lenet5` are pictures of the ten digits, 7 x 12.",
                     .choices = {"lenet5"}}},
      .traits = {},
      .infer = infer,
      .macs =
          [](const ir::OpContext& context) { return context.inputs[0].channels * context.output.channels; },
      .geometry_type = "RbfGeometry",
      .geometry = geometry,
      .training = {.forward = {"rbf", {Role::kOutput, Role::kInputs, Role::kGeometry, Role::kBatch}},
                   .backward_input = ir::CallDef{"rbf_backward_input",
                                                 {Role::kDInput, Role::kDOutput, Role::kInputs,
                                                  Role::kGeometry, Role::kBatch}},
                   .backward_params = {}},
      .onnx = onnx,
  };
}

}  // namespace cnnc::ops
