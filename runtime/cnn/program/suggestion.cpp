#include "suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cnn::program {
namespace {

/// A number of edits that turns `a` into `b`.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  std::size_t best = 1 + word.size() / 3;
  std::string nearest;
  for (const std::string& candidate : known) {
    const std::size_t edits = distance(word, candidate);
    if (edits <= best && (nearest.empty() || edits < best)) best = edits, nearest = candidate;
  }
  return nearest.empty() ? "" : fmt::format("did you mean {}? ", nearest);
}

}  // namespace cnn::program
