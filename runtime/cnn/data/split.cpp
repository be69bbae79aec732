// Shares by largest remainders; which images by a shuffle.
#include "cnn/data/split.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "cnn/data/shuffle.hpp"

namespace cnn {
namespace {

constexpr std::size_t kLabels = 256;
using Counts = std::array<std::size_t, kLabels>;

/// How many of each class: its share of `count`, rounded down, and one more for the largest remainders (the
/// smaller label first where they are equal).
Counts shares(const Counts& sizes, std::size_t total, std::size_t count) {
  Counts shares{}, remainders{};
  std::size_t given = 0;
  for (std::size_t label = 0; label < kLabels; ++label) {
    shares[label] = sizes[label] * count / total;
    remainders[label] = sizes[label] * count % total;
    given += shares[label];
  }
  std::array<std::size_t, kLabels> labels;
  std::iota(labels.begin(), labels.end(), std::size_t{0});
  std::stable_sort(labels.begin(), labels.end(),
                   [&](std::size_t left, std::size_t right) { return remainders[left] > remainders[right]; });
  for (std::size_t i = 0; given < count; ++i, ++given) ++shares[labels[i]];
  return shares;
}

}  // namespace

std::vector<std::uint32_t> take_stratified(std::vector<std::uint32_t>& rows,
                                           std::span<const std::uint8_t> labels, std::size_t count,
                                           std::uint64_t seed, std::uint32_t stream) {
  if (rows.empty() || count == 0) return {};
  Counts left{};
  for (const std::uint32_t row : rows) ++left[labels[row]];
  left = shares(left, rows.size(), std::min(count, rows.size()));
  std::vector<std::uint32_t> places(rows.size());
  std::iota(places.begin(), places.end(), 0u);
  shuffle_rows(places, {seed, 0}, stream);
  std::vector<bool> is_taken(rows.size());
  for (const std::uint32_t place : places) {
    std::size_t& wanted = left[labels[rows[place]]];
    if (wanted == 0) continue;
    --wanted;
    is_taken[place] = true;
  }
  std::vector<std::uint32_t> taken, kept;
  for (std::size_t place = 0; place < rows.size(); ++place)
    (is_taken[place] ? taken : kept).push_back(rows[place]);
  rows = std::move(kept);
  return taken;
}

}  // namespace cnn
