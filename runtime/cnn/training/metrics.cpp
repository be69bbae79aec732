// Accuracy, top-5 and the running mean of the loss.
#include "metrics.hpp"

namespace cnn {

std::int64_t count_correct(ConstFloats scores, Labels labels, int outputs, int top) {
  const auto width = static_cast<std::size_t>(outputs);
  std::int64_t correct = 0;
  for (std::size_t image = 0; image < labels.size(); ++image) {
    const ConstFloats row = scores.subspan(image * width, width);
    const auto label = static_cast<std::size_t>(labels[image]);
    const float own = row[label];
    int ahead = 0;  // negated comparisons, so that a NaN counts as ahead
    for (std::size_t i = 0; i < label; ++i) ahead += !(row[i] < own);
    for (std::size_t i = label + 1; i < width; ++i) ahead += !(row[i] <= own);
    correct += own == own && ahead < top;
  }
  return correct;
}

void Tally::add(ConstFloats losses, ConstFloats scores, Labels labels, int outputs) {
  for (const float value : losses) loss += static_cast<double>(value);
  images += static_cast<std::int64_t>(labels.size());
  correct += count_correct(scores, labels, outputs, 1);
  correct_top5 += count_correct(scores, labels, outputs, 5);
}

}  // namespace cnn
