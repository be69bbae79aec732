// The reference of layers and of everything else that is called by name, as text and as Markdown.
#include "driver/describe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "sema/reference.hpp"

namespace cnnc::driver {

namespace {

// One thing that is called by name, whatever its kind.
struct Entry {
  std::string_view name, summary;
  std::span<const ir::ArgumentDef> arguments;
};
struct Kind {
  std::string_view title, note;
  std::vector<Entry> entries;
};

std::vector<Entry> entries_of(const std::vector<sema::Callable>& table) {
  std::vector<Entry> entries;
  for (const sema::Callable& one : table) entries.push_back({one.name, one.summary, one.arguments});
  return entries;
}

std::vector<Kind> kinds(const ir::OpRegistry& ops) {
  std::vector<Entry> layers;
  for (const ir::OpDef& card : ops.all()) layers.push_back({card.name, card.summary, card.arguments});
  return {{"Layers", "In the bodies of models and blocks.", std::move(layers)},
          {"Data sources", "source = folder(\"DIR\", val=0.1), in data.", entries_of(sema::data_sources())},
          {"Transforms", "In prepare { } and, the random ones only there, in augment { }.", entries_of(sema::transforms())},
          {"Losses", "loss = cross_entropy, in train.", entries_of(sema::losses())},
          {"Metrics", "metrics = [accuracy, f1(macro)], in train.", entries_of(sema::metrics())},
          {"Optimizers", "optimizer = adam(lr=1e-3), in train or phase.", entries_of(sema::optimizers())},
          {"Schedules", "schedule = cosine(warmup=5), in train or phase.", entries_of(sema::schedules())},
          {"Callbacks", "Lines of their own, in train for the run or in phase for that phase.", entries_of(sema::callbacks())}};
}

std::string type_text(const ir::ArgumentDef& argument) {
  switch (argument.type) {
    case ir::ArgumentType::kInteger: return "whole number";
    case ir::ArgumentType::kPair: return "3 or 1x7";
    case ir::ArgumentType::kPadding: return "1, 0x3, same or same_tf";
    case ir::ArgumentType::kNumber: return "number";
    case ir::ArgumentType::kBoolean: return "true or false";
    case ir::ArgumentType::kWord:
      return fmt::format("{}{}{}", fmt::join(argument.choices, ", "), argument.also ? ", " : "", argument.also_text);
    case ir::ArgumentType::kActivation: return "an activation";
    case ir::ArgumentType::kText: return "text in quotes";
    case ir::ArgumentType::kNumbers: return "number or list of numbers";
    case ir::ArgumentType::kPart: return argument.choices.empty() ? "fraction or count" : "fraction, count or test";
    default: return "list";
  }
}

// A default that a reader could write; a word such as `kernel` or `none` that stands for "not given" is no such thing.
std::string default_text(const ir::ArgumentDef& argument) {
  if (!argument.default_value) return "required";
  const auto* word = argument.default_value->as<ir::Word>();
  const bool writable = word == nullptr || argument.type == ir::ArgumentType::kActivation ||
                        std::ranges::find(argument.choices, word->text) != argument.choices.end();
  if (writable) return to_text(*argument.default_value);
  return word->text == "none" ? "-" : word->text;
}

std::string signature(const Entry& entry) {
  std::vector<std::string> arguments;
  for (const ir::ArgumentDef& argument : entry.arguments) {
    const std::string value = default_text(argument);
    if (value == "required") arguments.push_back(argument.positional ? std::string(argument.name) : fmt::format("{}=", argument.name));
    else if (value != "-") arguments.push_back(fmt::format("{}={}", argument.name, value));
  }
  return entry.arguments.empty() ? std::string(entry.name) : fmt::format("{}({})", entry.name, fmt::join(arguments, ", "));
}

std::string settings_markdown(std::string_view owner, const std::vector<sema::SettingFacts>& settings) {
  std::string text = fmt::format("\n## Settings of {}\n| setting | meaning |\n|---|---|\n", owner);
  for (const sema::SettingFacts& one : settings) text += fmt::format("| `{}` | {} |\n", one.name, one.summary);
  return text;
}

std::string entry_markdown(const Entry& entry) {
  std::string text = fmt::format("\n### {}\n`{}`\n\n{}\n", entry.name, signature(entry), entry.summary);
  if (entry.arguments.empty()) return text;
  text += "\n| argument | takes | default | meaning |\n|---|---|---|---|\n";
  for (const ir::ArgumentDef& argument : entry.arguments) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", argument.name, type_text(argument), default_text(argument), argument.summary);
  }
  return text;
}

}  // namespace

std::optional<std::string> describe(std::string_view name, const ir::OpRegistry& ops) {
  std::string text;
  for (const Kind& kind : kinds(ops)) {
    for (const Entry& entry : kind.entries) {
      if (entry.name != name) continue;
      text += fmt::format("{}{}\n  {}\n", text.empty() ? "" : "\n", signature(entry), entry.summary);
      for (const ir::ArgumentDef& argument : entry.arguments) {
        text += fmt::format("\n  {:14} {}\n{:17}{}; {}\n", argument.name, argument.summary, "", type_text(argument),
                            argument.default_value ? "default " + default_text(argument) : "required");
      }
    }
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string describe_all(const ir::OpRegistry& ops) {
  std::string text;
  for (const Kind& kind : kinds(ops)) {
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", kind.title);
    for (const Entry& entry : kind.entries) text += fmt::format("  {:20} {}\n", entry.name, entry.summary);
  }
  return text + "\nMore about one: cnnc describe NAME\n";
}

std::string describe_markdown(const ir::OpRegistry& ops) {
  std::string text =
      "# The reference of `.cnn`, edition 1\n\n"
      "Printed by `cnnc describe --markdown` from the tables that specs are checked against; a test keeps both equal. How a file is\n"
      "written stands in [the language](language.md).\n";
  for (const Kind& kind : kinds(ops)) {
    text += fmt::format("\n## {}\n{}\n", kind.title, kind.note);
    for (const Entry& entry : kind.entries) text += entry_markdown(entry);
  }
  return text + settings_markdown("data", sema::data_settings()) + settings_markdown("train", sema::train_settings()) +
         settings_markdown("a phase", sema::phase_settings()) + settings_markdown("a group", sema::group_settings());
}

std::vector<std::string_view> describable(const ir::OpRegistry& ops) {
  std::vector<std::string_view> names;
  for (const Kind& kind : kinds(ops)) {
    for (const Entry& entry : kind.entries) names.push_back(entry.name);
  }
  return names;
}

}  // namespace cnnc::driver
