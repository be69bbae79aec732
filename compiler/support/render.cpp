// Diagnostics as people read them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "support/diagnostics.hpp"

namespace cnnc {

namespace {

constexpr int kTabWidth = 4;
constexpr int kLongestLine = 160;  // columns shown; a generated spec may have lines of megabytes

// Code points that terminals show two columns wide: the East Asian blocks and emoji.
bool is_wide(std::uint32_t code) {
  return (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) || (code >= 0xAC00 && code <= 0xD7A3) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
         (code >= 0xFFE0 && code <= 0xFFE6) || (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
}

// Code points that take no column of their own: combining accents, joiners and variation selectors.
bool is_combining(std::uint32_t code) {
  return (code >= 0x0300 && code <= 0x036F) || (code >= 0x0483 && code <= 0x0489) || (code >= 0x0591 && code <= 0x05BD) ||
         (code >= 0x064B && code <= 0x065F) || (code >= 0x0E34 && code <= 0x0E3A) || (code >= 0x0E47 && code <= 0x0E4E) ||
         (code >= 0x1AB0 && code <= 0x1AFF) || (code >= 0x1DC0 && code <= 0x1DFF) || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x20D0 && code <= 0x20FF) || (code >= 0xFE00 && code <= 0xFE0F) || (code >= 0xFE20 && code <= 0xFE2F) ||
         (code >= 0x1F3FB && code <= 0x1F3FF) || code == 0xFEFF;
}

struct CodePoint {
  std::uint32_t code = 0;
  std::size_t length = 1;
};

int columns_of(std::uint32_t code) {
  return is_combining(code) ? 0 : is_wide(code) ? 2 : 1;
}

CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80 ? 1 : byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : byte(0) >= 0xC0 ? 2 : 1;
  if (length == 1 || text.size() < length) return {byte(0) < 0x80 ? byte(0) : 0xFFFDu, 1};
  std::uint32_t code = byte(0) & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0xFFFD, 1};
    code = code << 6 | (byte(i) & 0x3F);
  }
  return {code, length};
}

// A line as shown: tabs become spaces, bytes that are no text become '?'; where each byte of the source begins.
struct ShownLine {
  std::string text;
  std::vector<int> columns;  // by byte of what is shown, and one beyond
};

ShownLine show(std::string_view line) {
  ShownLine shown;
  int column = 0;
  std::size_t i = 0;
  constexpr std::size_t kMostBytes = 16 * kLongestLine;  // accents without end take no columns
  while (i < line.size() && column < kLongestLine && i < kMostBytes) {
    const CodePoint point = decode(line.substr(i));
    for (std::size_t j = 0; j < point.length; ++j) shown.columns.push_back(column);
    if (point.code == '\t') shown.text += std::string(static_cast<std::size_t>(kTabWidth - column % kTabWidth), ' ');
    else if (point.code < 0x20 || point.code == 0x7F || point.code == 0xFFFD) shown.text += '?';
    else shown.text += line.substr(i, point.length);
    column += point.code == '\t' ? kTabWidth - column % kTabWidth : columns_of(point.code);
    i += point.length;
  }
  if (i < line.size()) shown.text += " ...";
  shown.columns.push_back(column);
  return shown;
}

struct Mark {
  int begin = 0, end = 0;  // columns
  char character = '^';
  std::string text;
};

// The rows below a source line: carets, the text of the last mark beside them, the others' below.
std::vector<std::string> marks_below(std::vector<Mark> marks) {
  std::ranges::stable_sort(marks, {}, &Mark::begin);
  std::string carets;
  for (const Mark& mark : marks) {
    const auto begin = static_cast<std::size_t>(mark.begin), end = static_cast<std::size_t>(mark.end);
    if (carets.size() < end) carets.resize(end, ' ');
    for (std::size_t i = begin; i < end; ++i) {
      if (mark.character == '^' || carets[i] == ' ') carets[i] = mark.character;
    }
  }
  const Mark& last = marks.back();
  if (!last.text.empty()) carets += " " + last.text;
  std::vector<std::string> rows{carets};
  for (std::size_t i = marks.size() - 1; i-- > 0;) {
    if (!marks[i].text.empty()) rows.push_back(std::string(static_cast<std::size_t>(marks[i].begin), ' ') + marks[i].text);
  }
  return rows;
}

class Rendering {
 public:
  Rendering(const Diagnostic& diagnostic, const Sources& sources) : diagnostic_(diagnostic), sources_(sources) {}

  std::string text() {
    static constexpr std::string_view kWords[] = {"error", "warning", "note"};
    text_ = fmt::format("{}: {}\n", kWords[static_cast<int>(diagnostic_.severity)], diagnostic_.text);
    if (diagnostic_.has_range) excerpt();
    const std::string indent = diagnostic_.has_range ? std::string(static_cast<std::size_t>(width_) + 1, ' ') : "  ";
    for (const Note& note : diagnostic_.notes) {
      text_ += fmt::format("{}= {}{}\n", indent, note.text, note.has_range ? "   " + place(note.range) : "");
    }
    for (const std::string& help : diagnostic_.help) text_ += fmt::format("{}help: {}\n", indent, help);
    return std::move(text_);
  }

 private:
  std::string place(Range range) const {
    const Position position = sources_.file(range.file).position(range.begin);
    return fmt::format("{}:{}:{}", sources_.file(range.file).name(), position.line, position.column);
  }

  // Marks by file and line; the primary's file comes first.
  std::map<std::pair<std::uint32_t, int>, std::vector<Mark>> collect() const {
    std::map<std::pair<std::uint32_t, int>, std::vector<Mark>> lines;
    const auto add = [&](const Label& label, char character) {
      const SourceFile& file = sources_.file(label.range.file);
      const int number = file.position(label.range.begin).line;
      const ShownLine shown = show(file.line(number));
      const std::uint32_t line_begin = file.line_begin(number);
      const auto column = [&](std::uint32_t offset) {
        return shown.columns[std::min<std::size_t>(offset - line_begin, shown.columns.size() - 1)];
      };
      Mark mark{.begin = column(label.range.begin), .end = column(std::max(label.range.begin, label.range.end)),
                .character = character, .text = label.text};
      mark.begin = std::min(mark.begin, kLongestLine);
      mark.end = std::clamp(mark.end, mark.begin + 1, kLongestLine + 1);
      lines[{label.range.file, number}].push_back(mark);
    };
    add(diagnostic_.primary, '^');
    for (const Label& label : diagnostic_.secondary) add(label, '-');
    return lines;
  }

  void excerpt() {
    const auto lines = collect();
    for (const auto& [key, marks] : lines) width_ = std::max(width_, static_cast<int>(std::to_string(key.second).size()));
    const std::uint32_t main_file = diagnostic_.primary.range.file;
    text_ += fmt::format("{:{}}--> {}\n", "", width_, place(diagnostic_.primary.range));
    for (const auto& [key, marks] : lines) {
      if (key.first == main_file) source_line(key.first, key.second, marks);
    }
    std::uint32_t file = main_file;
    for (const auto& [key, marks] : lines) {
      if (key.first == main_file) continue;
      if (key.first != file) text_ += fmt::format("{:{}}::: {}:{}\n", "", width_, sources_.file(key.first).name(), key.second);
      file = key.first;
      source_line(key.first, key.second, marks);
    }
  }

  void source_line(std::uint32_t file, int number, const std::vector<Mark>& marks) {
    text_ += fmt::format("{:{}} | {}\n", number, width_, show(sources_.file(file).line(number)).text);
    for (const std::string& row : marks_below(marks)) text_ += fmt::format("{:{}} | {}\n", "", width_, row);
  }

  const Diagnostic& diagnostic_;
  const Sources& sources_;
  int width_ = 2;
  std::string text_;
};

}  // namespace

std::vector<const Diagnostic*> in_order(const Diagnostics& diagnostics) {
  std::vector<const Diagnostic*> order;
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>> seen;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    const Range range = diagnostic.primary.range;
    if (seen.insert({diagnostic.id, range.file, range.begin, diagnostic.in_context ? "" : diagnostic.text}).second) order.push_back(&diagnostic);
  }
  std::ranges::stable_sort(order, {}, [](const Diagnostic* diagnostic) {
    const Range range = diagnostic->primary.range;
    return std::tuple(diagnostic->has_range, range.file, range.begin);
  });
  return order;
}

std::string render(const Diagnostics& diagnostics, const Sources& sources) {
  std::string text;
  for (const Diagnostic* diagnostic : in_order(diagnostics)) {
    if (!text.empty()) text += "\n";
    text += Rendering(*diagnostic, sources).text();
  }
  return text;
}

}  // namespace cnnc
