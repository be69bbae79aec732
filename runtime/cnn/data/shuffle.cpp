// Numbers come from Philox, counted, so that they depend on the key alone.
#include "cnn/data/shuffle.hpp"

#include <array>
#include <numeric>
#include <utility>

#include "cnn/core/random.hpp"
#include "cnn/data/streams.hpp"

namespace cnn {
namespace {

/// A stream's words, one after the other.
class Words {
 public:
  Words(const RandomKey& key, std::uint32_t stream) : key_(key), stream_(stream) {}

  std::uint32_t next() {
    if (place_ == words_.size()) {
      words_ = random_words(key_, stream_, quad_++);
      place_ = 0;
    }
    return words_[place_++];
  }

  /// Uniform in [0, bound): the high half of a product, where the low half's overhang is drawn again (Lemire,
  /// "Fast random integer generation in an interval", 2019).
  std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next()} * bound;
    const std::uint32_t overhang = -bound % bound;
    while (static_cast<std::uint32_t>(product) < overhang) product = std::uint64_t{next()} * bound;
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  RandomKey key_;
  std::uint32_t stream_;
  std::uint32_t quad_ = 0;
  PhiloxCounter words_{};
  std::size_t place_ = 4;
};

}  // namespace

void shuffle_rows(std::span<std::uint32_t> rows, const RandomKey& key, std::uint32_t stream) {
  Words words(key, stream);
  for (std::size_t left = rows.size(); left > 1; --left)
    std::swap(rows[left - 1], rows[words.below(static_cast<std::uint32_t>(left))]);
}

std::vector<std::uint32_t> epoch_order(std::uint32_t count, const Shuffle& shuffle) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  shuffle_rows(order, {shuffle.seed, shuffle.epoch}, kShuffleStream);
  return order;
}

}  // namespace cnn
