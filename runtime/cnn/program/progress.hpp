// The progress bar of an epoch: drawn on a terminal only, a few times a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cnn::program {

/// One line that is drawn over and over: share done, images a second, time left. Erases itself at the end of
/// its life.
class ProgressBar {
 public:
  /// `label` is "epoch 3/10", `images` the whole pass; nothing is drawn unless `shown`.
  ProgressBar(std::string label, std::int64_t images, bool shown);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `done` images are through, of which `skipped` in an earlier process; `loss` is their mean.
  void update(std::int64_t done, std::int64_t skipped, double loss);

 private:
  using Clock = std::chrono::steady_clock;

  std::string label_;
  std::int64_t images_;
  bool shown_;
  bool drawn_ = false;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = begin_;
};

/// The bar's text, without the codes that place it.
std::string progress_text(const std::string& label, std::int64_t done, std::int64_t images,
                          double images_per_second, double loss);

/// Whether standard output is a terminal.
bool output_is_terminal();

}  // namespace cnn::program
