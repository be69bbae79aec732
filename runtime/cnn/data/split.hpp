// Which images are taken out of the training part for validation and test.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cnn {

/// Draws `count` of `rows`, from each class as many as its share (largest remainders first), and takes them
/// out of `rows`; both keep their order. `labels` are those of all images. Decided by seed and stream.
std::vector<std::uint32_t> take_stratified(std::vector<std::uint32_t>& rows, std::span<const int> labels,
                                           std::size_t count, std::uint64_t seed, std::uint32_t stream);

}  // namespace cnn
