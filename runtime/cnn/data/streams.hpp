// The streams of random numbers that data takes, far from those of layers, which count from 0.
#pragma once

#include <cstdint>

namespace cnn {

constexpr std::uint32_t kShuffleStream = 0xffff0001;
constexpr std::uint32_t kValidationStream = 0xffff0002;
constexpr std::uint32_t kTestStream = 0xffff0003;
/// Of the first transform of `augment`; the others follow.
constexpr std::uint32_t kAugmentStream = 0xfffe0000;

}  // namespace cnn
