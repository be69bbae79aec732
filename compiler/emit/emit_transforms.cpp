// The text of the tables of `prepare` and `augment`.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>

#include "emit/parts.hpp"
#include "emit/text.hpp"

namespace cnnc::emit {

namespace {

std::string floats_text(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(float_literal(value));
  return fmt::format("{}", fmt::join(texts, ", "));
}

// center_crop is kCenterCrop; a resize by its short side is another kind than one to a size.
std::string kind_name(const ir::Transform& transform) {
  std::string name = "k";
  bool begins = true;
  for (const char character : transform.name) {
    if (character != '_') name += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(character))) : character;
    begins = character == '_';
  }
  if (transform.name == "resize" && transform.kind != ir::Transform::Kind::kResize) name += "Short";
  return name;
}

// What the kind has besides its name.
std::string fields(const ir::Transform& transform) {
  if (transform.kind == ir::Transform::Kind::kResize) {
    return fmt::format(", .height = {}, .width = {}", transform.height, transform.width);
  }
  const ir::ArgumentValues& values = transform.arguments;
  std::string text;
  if (values.has("size") && values.has("short")) return fmt::format(", .amount = {}", values.integer("short"));
  if (values.has("size")) {
    const auto [height, width] = values.pair("size");
    text += fmt::format(", .height = {}, .width = {}", height, width);
  }
  for (const std::string_view name : {"amount", "pad"}) {
    if (values.has(name)) text += fmt::format(", .amount = {}", values.integer(name));
  }
  for (const std::string_view name : {"degrees", "fraction", "p"}) {
    if (values.has(name)) text += fmt::format(", .strength = {}", double_literal(values.number(name)));
  }
  return text;
}

std::string rows_of(std::string_view name, const std::vector<ir::Transform>& transforms) {
  std::string text;
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < transforms.size(); ++i) {
    const ir::Transform& transform = transforms[i];
    std::string more = fields(transform);
    if (transform.kind == ir::Transform::Kind::kNormalize) {
      text += fmt::format("constexpr float kMean{}[] = {{{}}};\nconstexpr float kStdDeviation{}[] = {{{}}};\n\n", i,
                          floats_text(transform.mean), i, floats_text(transform.std_deviation));
      more = fmt::format(", .mean = kMean{}, .std_deviation = kStdDeviation{}", i, i);
    }
    rows.push_back(fmt::format("{{.kind = cnn::TransformKind::{}{}}}", kind_name(transform), more));
  }
  return text + table("cnn::TransformDescription", name, rows);
}

}  // namespace

std::string transform_tables(const ir::Data& data) {
  return rows_of("kPrepare", data.prepare) + rows_of("kAugment", data.augment);
}

}  // namespace cnnc::emit
