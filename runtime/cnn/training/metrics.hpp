// What a pass over images adds up to: the mean loss, and how many images were classified rightly.
#pragma once

#include <cstdint>

#include "cnn/core/types.hpp"

namespace cnn {

/// Images of `scores` [images][outputs] whose label is among the `top` highest scores. Of equal scores the
/// lowest index is the highest; a score that is not a number is never below the label's.
std::int64_t count_correct(ConstFloats scores, Labels labels, int outputs, int top);

/// Sums over the images of a pass, in double and in the images' order.
struct Tally {
  double loss = 0;
  std::int64_t images = 0;
  std::int64_t correct = 0;
  std::int64_t correct_top5 = 0;

  /// Adds a batch: `losses` [images], `scores` [images][outputs].
  void add(ConstFloats losses, ConstFloats scores, Labels labels, int outputs);
  double mean_loss() const { return images == 0 ? 0 : loss / static_cast<double>(images); }
  double accuracy() const { return share(correct); }
  double top5() const { return share(correct_top5); }

 private:
  double share(std::int64_t count) const {
    return images == 0 ? 0 : static_cast<double>(count) / static_cast<double>(images);
  }
};

}  // namespace cnn
