// SIGINT and SIGTERM while training.
#include "interrupt.hpp"

namespace cnn::program {
namespace {

volatile std::sig_atomic_t noted_signal = 0;

void note(int signal) {
  noted_signal = signal;
}

}  // namespace

InterruptWatch::InterruptWatch() {
  noted_signal = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  // The handler is good for once, then the default comes back; reads and writes that were under way go on.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
}

InterruptWatch::~InterruptWatch() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
}

int InterruptWatch::signal() {
  return noted_signal;
}

}  // namespace cnn::program
