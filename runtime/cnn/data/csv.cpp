// One pass over the text, field by field.
#include "cnn/data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "formats/format_error.hpp"
#include "formats/input_file.hpp"

namespace cnn {
namespace {

using formats::FormatError;

std::string read_text(const std::filesystem::path& path) {
  formats::InputFile file(path);
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
  if (file.size() > kMostBytes) throw FormatError(path, "is larger than 1 GiB, too much for a list");
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read_all(std::as_writable_bytes(std::span(text)));
  return text;
}

class CsvReader {
 public:
  CsvReader(const std::filesystem::path& file, std::string_view text) : file_(file), text_(text) {
    if (text_.starts_with("\xef\xbb\xbf")) place_ = 3;
  }

  std::vector<CsvRecord> read() {
    std::vector<CsvRecord> records;
    while (place_ < text_.size()) {
      CsvRecord record = read_record();
      if (record.fields.size() > 1 || !record.fields.front().empty()) records.push_back(std::move(record));
    }
    return records;
  }

 private:
  CsvRecord read_record() {
    CsvRecord record{line_, {}};
    do record.fields.push_back(read_field());
    while (take(','));
    take('\r');
    if (place_ < text_.size() && !take('\n')) fail("has text behind a closing quote");
    ++line_;
    return record;
  }

  std::string read_field() {
    if (take('"')) return read_quoted();
    const std::size_t end = std::min(text_.find_first_of(",\n", place_), text_.size());
    std::string_view field = text_.substr(place_, end - place_);
    place_ = end;
    if (field.ends_with('\r') && (end == text_.size() || text_[end] == '\n')) field.remove_suffix(1);
    return std::string(field);
  }

  std::string read_quoted() {
    std::string field;
    const std::size_t begin = line_;
    for (;;) {
      const std::size_t quote = text_.find('"', place_);
      if (quote == std::string_view::npos) {
        line_ = begin;
        fail("has a quote that nothing closes");
      }
      const std::string_view piece = text_.substr(place_, quote - place_);
      line_ += static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '\n'));
      field += piece;
      place_ = quote + 1;
      if (!take('"')) return field;
      field += '"';
    }
  }

  bool take(char character) {
    if (place_ >= text_.size() || text_[place_] != character) return false;
    ++place_;
    return true;
  }

  [[noreturn]] void fail(const char* problem) const {
    throw FormatError(file_, fmt::format("line {} {}", line_, problem));
  }

  const std::filesystem::path& file_;
  std::string_view text_;
  std::size_t place_ = 0, line_ = 1;
};

}  // namespace

std::vector<CsvRecord> read_csv(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  return CsvReader(file, text).read();
}

}  // namespace cnn
