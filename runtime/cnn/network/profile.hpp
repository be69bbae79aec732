// Where the time of a network's functions goes, layer by layer.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace cnn {

/// What a generated function does beside its layers: images in, scores and loss out, the optimizer's update.
enum class Frame { kInput, kOutput, kUpdate };

/// Seconds spent in each layer, forward and backward apart, summed over the calls that were watched. Generated functions tell it
/// where they are, so that the time from one mark to the next belongs to the first; together they are the whole time.
class Profile {
 public:
  explicit Profile(std::size_t layers) : layers_(layers), seconds_(2 * layers + kFrames, 0.0) {}

  /// Around a function: its beginning counts as Frame::kInput.
  void begin() {
    slot_ = slot(Frame::kInput);
    since_ = Clock::now();
  }
  void end() { add(Clock::now()); }
  /// What follows belongs to that layer, or to the frame.
  void forward(int layer) { mark(static_cast<std::size_t>(layer)); }
  void backward(int layer) { mark(layers_ + static_cast<std::size_t>(layer)); }
  void frame(Frame frame) { mark(slot(frame)); }

  double forward_seconds(std::size_t layer) const { return seconds_[layer]; }
  double backward_seconds(std::size_t layer) const { return seconds_[layers_ + layer]; }
  double frame_seconds(Frame frame) const { return seconds_[slot(frame)]; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kFrames = 3;

  std::size_t slot(Frame frame) const { return 2 * layers_ + static_cast<std::size_t>(frame); }
  void mark(std::size_t slot) {
    const Clock::time_point now = Clock::now();
    add(now);
    slot_ = slot;
    since_ = now;
  }
  void add(Clock::time_point now) { seconds_[slot_] += std::chrono::duration<double>(now - since_).count(); }

  std::size_t layers_, slot_ = 0;
  Clock::time_point since_;
  std::vector<double> seconds_;
};

}  // namespace cnn
