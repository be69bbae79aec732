// Lists of pictures with their classes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "cnn/data/csv.hpp"
#include "cnn/data/picture_set.hpp"
#include "formats/format_error.hpp"

namespace cnn {
namespace {

namespace fs = std::filesystem;
using formats::FormatError;

bool is_header(const CsvRecord& record, const fs::path& folder) {
  constexpr std::array<std::string_view, 5> kPathColumns{"path", "file", "filename", "image", "picture"};
  std::string first = record.fields.front();
  std::transform(first.begin(), first.end(), first.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(kPathColumns.begin(), kPathColumns.end(), first) != kPathColumns.end() &&
         !fs::exists(folder / record.fields.front());
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 9 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::vector<std::string> classes_of(const fs::path& file, const std::vector<CsvRecord>& records,
                                    std::span<const std::string_view> wanted, int classes) {
  if (!wanted.empty()) return {wanted.begin(), wanted.end()};
  std::set<std::string> found;
  for (const CsvRecord& record : records) found.insert(record.fields[1]);
  std::vector<std::string> names(found.begin(), found.end());
  if (std::all_of(names.begin(), names.end(), is_number))
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
      return std::pair(std::stoi(a), a) < std::pair(std::stoi(b), b);
    });
  if (names.size() == static_cast<std::size_t>(classes)) return names;
  constexpr std::size_t kMostNamed = 10;
  const bool more = names.size() > kMostNamed;
  const std::size_t count = names.size();
  names.resize(std::min(names.size(), kMostNamed));
  throw FormatError(file, fmt::format("has {} classes ({}{}), but the spec says {}", count,
                                      fmt::join(names, ", "), more ? ", ..." : "", classes));
}

}  // namespace

PictureSet read_picture_list(const fs::path& file, std::span<const std::string_view> class_names,
                             int classes) {
  std::vector<CsvRecord> records = read_csv(file);
  const fs::path folder = file.parent_path();
  if (!records.empty() && is_header(records.front(), folder)) records.erase(records.begin());
  if (records.empty()) throw FormatError(file, "names no pictures");
  for (const CsvRecord& record : records)
    if (record.fields.size() != 2)
      throw FormatError(
          file, fmt::format("line {} has {} field{}; each line is a path, a comma and a class", record.line,
                            record.fields.size(), record.fields.size() == 1 ? "" : "s"));
  PictureSet set;
  set.class_names = classes_of(file, records, class_names, classes);
  std::map<std::string_view, int> labels;
  for (const std::string& name : set.class_names) labels.emplace(name, static_cast<int>(labels.size()));
  for (const CsvRecord& record : records) {
    const auto label = labels.find(record.fields[1]);
    if (label == labels.end())
      throw FormatError(file, fmt::format("line {} has the class '{}'; the spec's classes are {}",
                                          record.line, record.fields[1], fmt::join(set.class_names, ", ")));
    const fs::path picture = folder / record.fields[0];
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(picture, error);
    if (error)
      throw FormatError(file, fmt::format("line {} names {}, which can't be read: {}", record.line,
                                          picture.string(), error.message()));
    set.parts[0].push_back({picture, label->second, bytes});
  }
  return set;
}

}  // namespace cnn
