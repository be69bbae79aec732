// The three sub-commands. Files are read by formats; nothing is trained or run.
#include "driver/weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "driver/commands.hpp"
#include "formats/format_error.hpp"
#include "formats/match.hpp"
#include "formats/safetensors.hpp"
#include "formats/weights.hpp"
#include "support/diagnostics.hpp"

namespace cnnc::driver {

namespace {

namespace formats = cnn::formats;

void print_notes(const formats::WeightsFile& file) {
  for (const std::string& note : file.notes()) fmt::print(stderr, "note: {}: {}\n", file.path().string(), note);
}

std::string with_commas(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t place = text.size(); place > 3; place -= 3) text.insert(place - 3, ",");
  return text;
}

// Names come from a file: without what a terminal would obey.
std::string printable(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

struct Totals {
  std::int64_t floats = 0, others = 0;
};

Totals count_numbers(const formats::WeightsFile& file) {
  Totals totals;
  for (const formats::StoredTensor& tensor : file.tensors()) {
    (tensor.is_float() ? totals.floats : totals.others) += tensor.count;
  }
  return totals;
}

// ---------- inspect ----------

std::string inspect_json(const formats::WeightsFile& file) {
  const Totals totals = count_numbers(file);
  nlohmann::ordered_json json = {{"file", file.path().string()}, {"format", file.format()}, {"notes", file.notes()},
                                 {"metadata", file.metadata()}, {"tensors", nlohmann::ordered_json::array()}};
  for (const formats::StoredTensor& tensor : file.tensors()) {
    json["tensors"].push_back(
        {{"name", tensor.name}, {"type", tensor.type}, {"shape", tensor.extents}, {"count", tensor.count}});
  }
  json["floats"] = totals.floats;
  json["others"] = totals.others;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string inspect_text(const formats::WeightsFile& file) {
  std::size_t name_width = 4, shape_width = 5;
  for (const formats::StoredTensor& tensor : file.tensors()) {
    name_width = std::max(name_width, tensor.name.size());
    shape_width = std::max(shape_width, formats::extents_text(tensor.extents).size());
  }
  std::string text = fmt::format("{}: {}, {} tensors\n\n", file.path().string(), file.format(), file.tensors().size());
  text += fmt::format("{:<{}}  type  {:<{}}  {:>13}\n", "name", name_width, "shape", shape_width, "numbers");
  for (const formats::StoredTensor& tensor : file.tensors()) {
    text += fmt::format("{:<{}}  {:<4}  {:<{}}  {:>13}\n", printable(tensor.name), name_width, tensor.type,
                        formats::extents_text(tensor.extents), shape_width, with_commas(tensor.count));
  }
  const Totals totals = count_numbers(file);
  text += fmt::format("\n{} numbers of float types", with_commas(totals.floats));
  if (totals.others > 0) text += fmt::format(", {} of others", with_commas(totals.others));
  text += "\n";
  for (const auto& [key, value] : file.metadata()) text += fmt::format("{}: {}\n", printable(key), printable(value));
  return text;
}

int inspect(const CommandLine& line) {
  const formats::WeightsFile file(line.files[1]);
  if (!line.json) print_notes(file);
  fmt::print("{}", line.json ? inspect_json(file) : inspect_text(file));
  return 0;
}

// ---------- convert ----------

int convert(const CommandLine& line) {
  const std::filesystem::path target = line.files[2];
  if (target.extension() != ".safetensors") {
    throw UsageError(fmt::format("'convert' writes safetensors: name the file so, not '{}'", line.files[2]));
  }
  const formats::WeightsFile file(line.files[1]);
  print_notes(file);
  std::vector<std::vector<float>> values;
  std::vector<formats::TensorView> tensors;
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const formats::StoredTensor& tensor = file.tensors()[i];
    if (!tensor.is_float()) {
      ++left_out;
      continue;
    }
    file.read(i, values.emplace_back(static_cast<std::size_t>(tensor.count)));
    tensors.push_back({tensor.name, tensor.extents, values.back()});
  }
  formats::write_safetensors(target, file.metadata(), tensors);
  fmt::print("{}: {} tensors, {} numbers\n", target.string(), tensors.size(), with_commas(count_numbers(file).floats));
  if (left_out > 0) fmt::print(stderr, "note: {} tensors of other types than floats were left out\n", left_out);
  return 0;
}

// ---------- map ----------

std::vector<formats::WantedTensor> wanted_tensors(const plan::Plan& plan) {
  std::vector<formats::WantedTensor> wanted;
  for (const plan::PlacedParameter& placed : plan.parameters) {
    const std::string& name = placed.parameter.name;
    const auto head = std::ranges::find_if(plan.auxiliaries, [&](const std::string& one) { return name.starts_with(one + "."); });
    wanted.push_back({name, placed.parameter.extents, head == plan.auxiliaries.end() ? "" : *head});
  }
  return wanted;
}

int print_map(const plan::Plan& plan, const formats::WeightsFile& file, bool by_order) {
  const std::vector<formats::WantedTensor> wanted = wanted_tensors(plan);
  const std::vector<formats::StoredTensor>& stored = file.tensors();
  const std::vector<formats::Names> names = formats::possible_names(wanted, "", "");
  const formats::Pairing pairing =
      by_order ? formats::match_in_order(wanted, stored) : formats::match_by_name(wanted, stored, names);
  for (const std::string& text : formats::pair_lines(pairing, wanted, stored)) fmt::print("{}\n", printable(text));
  fmt::print("\n{} of {}'s {} tensors are paired by {} with {}\n", pairing.pairs.size(), plan.model, wanted.size(),
             by_order ? "order" : "name", file.path().string());
  const auto print_left = [](std::string_view title, const std::vector<std::string>& lines) {
    if (!lines.empty()) fmt::print("{}:\n  {}\n", title, fmt::join(lines, "\n  "));
  };
  const auto ours = [&](std::size_t i) { return fmt::format("{} {}", wanted[i].name, formats::extents_text(wanted[i].extents)); };
  const auto theirs = [&](std::size_t i) {
    return fmt::format("{} {} {}", printable(stored[i].name), stored[i].type, formats::extents_text(stored[i].extents));
  };
  std::vector<std::string> missing, different, left_over;
  for (const std::size_t i : pairing.missing) missing.push_back(ours(i));
  for (const formats::TensorPair& pair : pairing.disagreeing) {
    different.push_back(fmt::format("{} with {}", ours(pair.wanted), theirs(pair.stored)));
  }
  for (const std::size_t i : pairing.left_over) left_over.push_back(theirs(i));
  print_left("disagree", different);
  print_left("left in the spec", missing);
  print_left("left in the file", left_over);
  if (!pairing.hint.empty()) fmt::print("{}\n", pairing.hint);
  return pairing.complete() ? 0 : 1;
}

int map(const CommandLine& line) {
  Sources sources;
  Diagnostics diagnostics;
  const std::vector<Compiled> programs = compile(line.compile, sources, diagnostics);
  fmt::print(stderr, "{}", render(diagnostics, sources));
  if (diagnostics.failed()) return 1;
  if (programs.size() != 1) {
    std::string names;
    for (const Compiled& one : programs) names += " " + one.program.model.name;
    throw UsageError(programs.empty() ? fmt::format("{} has no model", line.files[1])
                                      : fmt::format("{} has several programs; choose one with --model:{}", line.files[1], names));
  }
  const formats::WeightsFile file(line.files[2]);
  print_notes(file);
  return print_map(programs.front().plan, file, line.match_by_order);
}

struct SubCommand {
  std::string_view name, usage;
  int (*run)(const CommandLine&);
};

constexpr SubCommand kSubCommands[] = {
    {"inspect", "FILE [--json]", inspect}, {"convert", "IN OUT.safetensors", convert}, {"map", "SPEC FILE [--match order]", map}};

}  // namespace

int weights_command(const CommandLine& line) {
  const std::string name = line.files.empty() ? "" : line.files.front();
  const auto* command = std::ranges::find(kSubCommands, name, &SubCommand::name);
  if (command == std::end(kSubCommands)) {
    throw UsageError(name.empty() ? "'weights' needs to know what: inspect, convert or map"
                                  : fmt::format("'weights' can inspect, convert or map, not '{}'", name));
  }
  const std::size_t expected = command->name == "inspect" ? 2 : 3;
  if (line.files.size() != expected) throw UsageError(fmt::format("it is: cnnc weights {} {}", command->name, command->usage));
  try {
    return command->run(line);
  } catch (const formats::FormatError& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}

}  // namespace cnnc::driver
