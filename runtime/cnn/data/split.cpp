// Shares by largest remainders; which images by a shuffle.
#include "cnn/data/split.hpp"

#include <algorithm>
#include <numeric>

#include "cnn/data/shuffle.hpp"

namespace cnn {
namespace {

using Counts = std::vector<std::size_t>;

/// How many of each class: its share of `count`, rounded down, and one more for the largest remainders (the
/// smaller label first where they are equal).
Counts shares(const Counts& sizes, std::size_t total, std::size_t count) {
  Counts shares(sizes.size()), remainders(sizes.size()), labels(sizes.size());
  std::size_t given = 0;
  for (std::size_t label = 0; label < sizes.size(); ++label) {
    shares[label] = sizes[label] * count / total;
    remainders[label] = sizes[label] * count % total;
    given += shares[label];
  }
  std::iota(labels.begin(), labels.end(), std::size_t{0});
  std::stable_sort(labels.begin(), labels.end(),
                   [&](std::size_t left, std::size_t right) { return remainders[left] > remainders[right]; });
  for (std::size_t i = 0; given < count; ++i, ++given) ++shares[labels[i]];
  return shares;
}

}  // namespace

std::vector<std::uint32_t> take_stratified(std::vector<std::uint32_t>& rows, std::span<const int> labels,
                                           std::size_t count, std::uint64_t seed, std::uint32_t stream) {
  if (rows.empty() || count == 0) return {};
  const auto label_of = [&](std::uint32_t row) { return static_cast<std::size_t>(labels[row]); };
  Counts left(static_cast<std::size_t>(*std::max_element(labels.begin(), labels.end())) + 1);
  for (const std::uint32_t row : rows) ++left[label_of(row)];
  left = shares(left, rows.size(), std::min(count, rows.size()));
  std::vector<std::uint32_t> places(rows.size());
  std::iota(places.begin(), places.end(), 0u);
  shuffle_rows(places, {seed, 0}, stream);
  std::vector<bool> is_taken(rows.size());
  for (const std::uint32_t place : places) {
    std::size_t& wanted = left[label_of(rows[place])];
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
