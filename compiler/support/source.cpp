// Lines and columns of source texts.
#include "support/source.hpp"

#include <algorithm>

namespace cnnc {

SourceFile::SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  line_begins_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const bool lone_return = text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n');
    if (text_[i] == '\n' || lone_return) line_begins_.push_back(static_cast<std::uint32_t>(i) + 1);
  }
}

Position SourceFile::position(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto after = std::ranges::upper_bound(line_begins_, offset);
  const auto number = static_cast<int>(after - line_begins_.begin());
  int column = 1;
  for (std::uint32_t i = line_begin(number); i < offset; ++i) {
    if ((static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80) ++column;  // not the rest of a UTF-8 sequence
  }
  return {number, column};
}

std::string_view SourceFile::line(int number) const {
  if (number < 1 || number > static_cast<int>(line_begins_.size())) return {};
  const std::uint32_t begin = line_begin(number);
  const bool last = number == static_cast<int>(line_begins_.size());
  std::string_view text = std::string_view(text_).substr(begin, last ? std::string_view::npos : line_begin(number + 1) - begin);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

std::uint32_t SourceFile::line_begin(int number) const {
  return line_begins_.at(static_cast<std::size_t>(number) - 1);
}

std::uint32_t Sources::add(std::string name, std::string text) {
  files_.emplace_back(std::move(name), std::move(text));
  return static_cast<std::uint32_t>(files_.size()) - 1;
}

std::string_view Sources::text(Range range) const {
  const std::string_view whole = file(range.file).text();
  const std::size_t begin = std::min<std::size_t>(range.begin, whole.size());
  return whole.substr(begin, range.end > range.begin ? range.end - range.begin : 0);
}

}  // namespace cnnc
