// The progress bar of an epoch.
#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "text.hpp"

namespace cnn::program {

bool output_is_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}

std::string progress_text(const std::string& label, std::int64_t done, std::int64_t images,
                          double images_per_second, double loss) {
  constexpr int kWidth = 24;
  const double share = images == 0 ? 1 : static_cast<double>(done) / static_cast<double>(images);
  const int filled = std::clamp(static_cast<int>(share * kWidth), 0, kWidth);
  const double left = images_per_second > 0 ? static_cast<double>(images - done) / images_per_second : 0;
  return fmt::format("{} [{:#<{}}{:.<{}}] {:3.0f} %  {} images/s  {} left  loss {:.4f}", label, "", filled,
                     "", kWidth - filled, 100 * share,
                     with_commas(static_cast<std::int64_t>(images_per_second)), duration_text(left), loss);
}

ProgressBar::ProgressBar(std::string label, std::int64_t images, bool shown)
    : label_(std::move(label)), images_(images), shown_(shown) {}

ProgressBar::~ProgressBar() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stdout);
  std::fflush(stdout);
}

void ProgressBar::update(std::int64_t done, std::int64_t skipped, double loss) {
  if (!shown_) return;
  const Clock::time_point now = Clock::now();
  if (now - last_ < std::chrono::milliseconds(200)) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const double rate = static_cast<double>(done - skipped) / seconds;
  const std::string text = progress_text(label_, done, images_, rate, loss);
  std::fputs(("\r" + text + "\033[K").c_str(), stdout);
  std::fflush(stdout);
  drawn_ = true;
}

}  // namespace cnn::program
