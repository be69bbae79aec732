// SIGINT and SIGTERM while training: noted, so that the step at hand is finished and the state saved.
#pragma once

#include <csignal>

namespace cnn::program {

/// While one of these lives, the first SIGINT or SIGTERM is noted; a second one ends the program at once.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// The signal that came, or 0.
  static int signal();

 private:
  struct sigaction old_interrupt_;
  struct sigaction old_terminate_;
};

}  // namespace cnn::program
