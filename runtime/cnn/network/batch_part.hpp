// A part of a batch, which one task takes through all layers by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cnn/core/types.hpp"

namespace cnn {

/// The images of a part and what is theirs, with memory that no other task uses meanwhile. Kernels find no team while a task
/// runs, and do all the work of a call themselves: nobody waits for others between layers, and activations stay in one core's
/// cache.
struct BatchPart {
  int batch = 0;  // images
  ConstFloats images{};
  Labels labels{}, all_labels{};
  Floats losses{}, scores{};
  RandomKey random{};
  Scratch scratch{};
  Floats activations{}, own_gradients{};

  /// Views of the part's memory for generated code: `offset` in floats from the region's start.
  Blocked blocked(std::size_t offset, std::ptrdiff_t stride) const { return {activations.data() + offset, stride}; }
  Floats floats(std::size_t offset, std::size_t count) const { return activations.subspan(offset, count); }
  std::span<std::uint8_t> bytes(std::size_t offset, std::size_t count) const {
    return {reinterpret_cast<std::uint8_t*>(activations.data() + offset), count};
  }
  Floats gradients(std::size_t offset, std::size_t count) const { return own_gradients.subspan(offset, count); }
  /// For a loss: the part's images as some of the whole batch's.
  LossBatch loss_batch() const { return {batch, all_labels}; }
};

}  // namespace cnn
