// Source texts and positions in them. Owns the text of every file read; knows nothing of the language.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace cnnc {

/// Bytes [begin, end) of one source file; `file` counts files in the order they were read.
struct Range {
  std::uint32_t file = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  friend bool operator==(const Range&, const Range&) = default;
};

/// Line and column, both from 1. The column counts Unicode code points, as editors do.
struct Position {
  int line = 0;
  int column = 0;
};

/// One file's text, its name as messages show it, and where its lines begin.
class SourceFile {
 public:
  SourceFile(std::string name, std::string text);

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  Position position(std::uint32_t offset) const;
  /// The text of a line (from 1) without its line end; empty beyond the last line.
  std::string_view line(int number) const;
  std::uint32_t line_begin(int number) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> line_begins_;
};

/// Every file of one compilation. References stay valid as files are added.
class Sources {
 public:
  std::uint32_t add(std::string name, std::string text);
  const SourceFile& file(std::uint32_t id) const { return files_.at(id); }
  std::size_t size() const { return files_.size(); }
  std::string_view text(Range range) const;
  int line(Range range) const { return file(range.file).position(range.begin).line; }

 private:
  std::deque<SourceFile> files_;
};

}  // namespace cnnc
