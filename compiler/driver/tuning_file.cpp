// Reads tuning files, holds them against a plan, and writes them.
#include "driver/tuning_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "support/files.hpp"
#include "support/messages.hpp"

namespace cnnc::driver {

namespace {

constexpr std::string_view kTune = "cnnc autotune SPEC measures and writes such a file";
constexpr std::size_t kMostBytes = 1 << 20;
constexpr int kMostErrors = 20;  // a file that is something else has no end of them

// A word as a message can show it.
std::string shown(std::string_view word) {
  constexpr std::size_t kMost = 60;
  std::string text;
  for (const char c : word.substr(0, kMost)) text += c >= 0x20 && c < 0x7F ? c : '?';
  return word.size() > kMost ? text + "..." : text;
}

std::string help_with(std::string_view word, const std::vector<std::string_view>& known) {
  const std::string_view near = nearest(word, known);
  return near.empty() ? fmt::format("there are: {}", fmt::join(known, ", ")) : fmt::format("did you mean '{}'?", near);
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value) && value >= 0 ? std::optional(value) : std::nullopt;
}

class Reader {
 public:
  Reader(std::uint32_t file, std::string_view text, Diagnostics& diagnostics) : file_(file), text_(text), diagnostics_(diagnostics) {}

  std::optional<TuningFile> read() {
    if (!heading()) return std::nullopt;
    while (begin_ < text_.size() && diagnostics_.errors() < kMostErrors) {
      const std::vector<PlacedWord> words = next_line();
      if (words.size() > 1 && words[1].text == "=") setting(words);
      else if (!words.empty()) choice(words);
    }
    if (!diagnostics_.failed()) {
      if (read_.model.text.empty()) diagnostics_.report(start_, messages::kTuningWithout, "model").help("write: model = NAME");
      if (read_.batch_word.text.empty()) diagnostics_.report(start_, messages::kTuningWithout, "batch").help("write: batch = 16");
    }
    return diagnostics_.failed() ? std::nullopt : std::optional(std::move(read_));
  }

 private:
  // "cnn-tuning 1", before which only comments may stand.
  bool heading() {
    std::vector<PlacedWord> words;
    while (words.empty() && begin_ < text_.size()) words = next_line();
    if (words.size() != 2 || words[0].text != "cnn-tuning") {
      diagnostics_.report(words.empty() ? Range{file_, 0, 0} : words[0].range, messages::kNoTuning)
          .label("write 'cnn-tuning 1' here")
          .help(std::string(kTune));
      return false;
    }
    start_ = words[0].range;
    if (words[1].text == "1") return true;
    diagnostics_.report(words[1].range, messages::kTuningVersion, shown(words[1].text)).help(std::string(kTune));
    return false;
  }

  // The next line's words, without its comment.
  std::vector<PlacedWord> next_line() {
    const std::size_t end = std::min(text_.find('\n', begin_), text_.size());
    const std::size_t stop = std::min(text_.find('#', begin_), end);
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    std::vector<PlacedWord> words;
    for (std::size_t i = begin_; i < stop;) {
      if (blank(text_[i])) {
        ++i;
        continue;
      }
      const std::size_t first = i;
      while (i < stop && !blank(text_[i])) ++i;
      words.push_back({std::string(text_.substr(first, i - first)), {file_, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(i)}});
    }
    begin_ = end + 1;
    return words;
  }

  // "batch = 16"; a processor's name has several words.
  void setting(const std::vector<PlacedWord>& words) {
    static const std::vector<std::string_view> kKnown{"model", "batch", "threads", "steps", "cpu"};
    const std::string& name = words[0].text;
    if (std::ranges::find(kKnown, name) == kKnown.end()) {
      diagnostics_.report(words[0].range, messages::kTuningSetting, shown(name)).help(help_with(name, kKnown));
    } else if (words.size() == 2) {
      diagnostics_.report(words[1].range, messages::kTuningLine, "a value");
    } else if (name == "model") {
      read_.model = words[2];
    } else if (name != "cpu") {
      const std::string& text = words[2].text;
      const std::int64_t least = name == "steps" ? 0 : 1;  // where nothing had to be chosen, nothing was measured
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size() || value < least) {
        diagnostics_.report(words[2].range, messages::kTuningNumber, fmt::format("a whole number of at least {}", least), shown(text));
      } else if (name == "batch") {
        read_.batch_word = words[2];
        read_.batch = value;
      }
    }
  }

  // "conv2  forward  winograd  packed=4.712 winograd=3.104  cost_model=packed"
  void choice(const std::vector<PlacedWord>& words) {
    if (words.size() < 3) {
      diagnostics_.report(words.back().range, messages::kTuningLine, words.size() == 1 ? "a pass" : "an algorithm")
          .help("a line is: LAYER PASS ALGORITHM, and what was measured");
      return;
    }
    TuningLine line{.layer = words[0], .pass = words[1], .algorithm = words[2], .measured = {}};
    const auto names = plan::work_names();
    const auto work = std::ranges::find(names, words[1].text);
    if (work == names.end()) {
      diagnostics_.report(words[1].range, messages::kTuningPass, shown(words[1].text)).help(help_with(words[1].text, {names.begin(), names.end()}));
      return;
    }
    line.work = static_cast<plan::Work>(work - names.begin());
    for (std::size_t i = 3; i < words.size(); ++i) {
      const std::string& text = words[i].text;
      const std::size_t equals = text.find('=');
      if (text.starts_with("cost_model=")) continue;  // asked anew
      const auto value = equals == std::string::npos || equals == 0 ? std::nullopt : number_in(std::string_view(text).substr(equals + 1));
      if (!value) {
        diagnostics_.report(words[i].range, messages::kTuningNumber, "ALGORITHM=MILLISECONDS", shown(text));
        return;
      }
      line.measured.push_back({text.substr(0, equals), *value});
    }
    read_.lines.push_back(std::move(line));
  }

  std::uint32_t file_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  std::size_t begin_ = 0;
  Range start_;
  TuningFile read_;
};

using Key = std::pair<std::string, plan::Work>;

std::map<Key, const plan::Choice*> choices_of(const plan::Plan& plan) {
  std::map<Key, const plan::Choice*> choices;
  for (const plan::Function& function : plan.functions) {
    for (const plan::Step& step : function.steps) {
      if (step.choice) choices.try_emplace({plan.layers[static_cast<std::size_t>(step.layer->index)].path, step.choice->work}, &*step.choice);
    }
  }
  return choices;
}

// The passes of a layer that have a choice.
std::vector<std::string_view> passes_of(const std::string& layer, const std::map<Key, const plan::Choice*>& choices) {
  std::vector<std::string_view> passes;
  for (const auto& [key, choice] : choices) {
    if (key.first == layer) passes.push_back(plan::to_text(key.second));
  }
  return passes;
}

void report_missing(const TuningLine& line, const plan::Plan& plan, const std::map<Key, const plan::Choice*>& choices, Diagnostics& diagnostics) {
  const std::string layer = shown(line.layer.text);
  std::vector<std::string_view> paths;
  for (const plan::LayerRow& row : plan.layers) paths.push_back(row.path);
  if (std::ranges::find(paths, line.layer.text) == paths.end()) {
    const std::string_view near = nearest(line.layer.text, paths);
    diagnostics.report(line.layer.range, messages::kTuningLayer, plan.model, layer)
        .help(near.empty() ? "cnnc summary lists the layers" : fmt::format("did you mean '{}'?", near));
    return;
  }
  const auto passes = passes_of(line.layer.text, choices);
  if (passes.empty()) {
    diagnostics.report(line.layer.range, messages::kTuningNoChoice, layer, plan.model).help("leave the line out");
    return;
  }
  diagnostics.report(line.pass.range, messages::kTuningPassMissing, plan.model, line.pass.text, layer)
      .help(fmt::format("leave the line out; there are: {}", fmt::join(passes, ", ")));
}

bool algorithm_fits(const TuningLine& line, const plan::Choice& choice, Diagnostics& diagnostics) {
  const auto open = choice.open();
  const auto found = std::ranges::find(choice.candidates, line.algorithm.text, &ir::Candidate::name);
  if (found == choice.candidates.end()) {
    diagnostics.report(line.algorithm.range, messages::kTuningAlgorithm, shown(line.layer.text), shown(line.algorithm.text))
        .help(help_with(line.algorithm.text, open));
    return false;
  }
  if (found->obstacle.empty()) return true;
  diagnostics.report(line.algorithm.range, messages::kTuningClosed, found->name, line.pass.text, shown(line.layer.text), found->obstacle)
      .help(fmt::format("write {}", fmt::join(open, " or ")));
  return false;
}

}  // namespace

std::string tuning_text(const TuningText& tuning) {
  std::string text = fmt::format("cnn-tuning 1\nmodel = {}\nbatch = {}\n", tuning.model, tuning.batch);
  if (tuning.rows.empty()) return text;
  text += fmt::format("threads = {}\nsteps = {}\ncpu = {}\n\n", tuning.threads, tuning.steps, tuning.cpu.empty() ? "unknown" : tuning.cpu);
  text += "# layer, pass, algorithm; the milliseconds of a step that each took; what the cost model would choose\n";
  std::size_t layer = 0, pass = 0, algorithm = 0;
  std::vector<std::string> figures;
  for (const TuningRow& row : tuning.rows) {
    layer = std::max(layer, row.layer.size());
    pass = std::max(pass, plan::to_text(row.work).size());
    algorithm = std::max(algorithm, row.choice.algorithm.size());
    std::string& one = figures.emplace_back();
    for (const plan::Measured& measured : row.choice.measured) one += fmt::format("{}={:.3f} ", measured.algorithm, measured.milliseconds);
  }
  std::size_t width = 0;
  for (const std::string& one : figures) width = std::max(width, one.size());
  for (std::size_t i = 0; i < tuning.rows.size(); ++i) {
    const TuningRow& row = tuning.rows[i];
    text += fmt::format("{:{}}  {:{}}  {:{}}  {:{}} cost_model={}\n", row.layer, layer, plan::to_text(row.work), pass, row.choice.algorithm,
                        algorithm, figures[i], width, row.by_cost_model);
  }
  return text;
}

std::optional<TuningFile> read_tuning(const std::filesystem::path& path, Sources& sources, Diagnostics& diagnostics) {
  ReadResult read = read_text(path);
  if (read.ok && read.text.size() > kMostBytes) read = {.ok = false, .text = {}, .error = "it is larger than 1 MiB"};
  if (!read.ok) {
    diagnostics.report_general(messages::kCannotReadTuning, path.string(), read.error).help(std::string(kTune));
    return std::nullopt;
  }
  const std::uint32_t file = sources.add(path.string(), std::move(read.text));
  return Reader(file, sources.file(file).text(), diagnostics).read();
}

plan::Tuning fit_tuning(const TuningFile& file, const plan::Plan& plan, Diagnostics& diagnostics) {
  plan::Tuning tuning;
  if (file.batch != plan.batch) {
    diagnostics.report(file.batch_word.range, messages::kTuningBatch, file.batch, plan.model, plan.batch)
        .help(fmt::format("--set batch={} plans for the file's batch; cnnc autotune measures at the spec's", file.batch));
    return tuning;
  }
  const auto choices = choices_of(plan);
  std::map<Key, Range> first;
  for (const TuningLine& line : file.lines) {
    if (diagnostics.errors() >= kMostErrors) break;
    const Key key{line.layer.text, line.work};
    const auto choice = choices.find(key);
    if (choice == choices.end()) {
      report_missing(line, plan, choices, diagnostics);
      continue;
    }
    if (!algorithm_fits(line, *choice->second, diagnostics)) continue;
    const auto [earlier, added] = first.try_emplace(key, line.layer.range);
    if (!added) {
      diagnostics.report(line.layer.range, messages::kTuningTwice, line.pass.text, shown(line.layer.text)).also(earlier->second, "first here");
      continue;
    }
    tuning[key] = {.algorithm = line.algorithm.text, .measured = line.measured};
  }
  return tuning;
}

}  // namespace cnnc::driver
