// Slot i holds steps i, i + 2, ...: the thread fills a slot as soon as next() has moved on from it.
#include "cnn/data/loader.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace cnn {
namespace {

std::vector<std::uint32_t> file_order(const Dataset& data, Part part) {
  std::vector<std::uint32_t> order(static_cast<std::size_t>(data.size(part)));
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

std::int64_t require_positive(int batch) {
  if (batch < 1) throw std::invalid_argument("a batch has at least one image");
  return batch;
}

}  // namespace

Loader::Loader(const Dataset& data, Part part, int batch)
    : Loader(data, part, batch, file_order(data, part)) {}

Loader::Loader(const Dataset& data, Part part, int batch, const Shuffle& shuffle, std::int64_t first_step)
    : Loader(data, part, batch, epoch_order(static_cast<std::uint32_t>(data.size(part)), shuffle),
             first_step) {}

Loader::Loader(const Dataset& data, Part part, int batch, std::vector<std::uint32_t> order,
               std::int64_t first_step)
    : data_(data),
      part_(part),
      batch_(require_positive(batch)),
      end_step_((static_cast<std::int64_t>(order.size()) + batch_ - 1) / batch_),
      order_(std::move(order)),
      filled_(first_step),
      taken_(first_step),
      released_(first_step) {
  if (first_step < 0) throw std::invalid_argument("a pass begins at step 0 or later");
  const std::size_t most = std::min(static_cast<std::size_t>(batch_), order_.size());
  for (Slot& slot : slots_) {
    slot.images.resize(most * data.image_floats());
    slot.labels.resize(most);
  }
  thread_ = std::thread([this] { fill_all(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

const Batch* Loader::next() {
  std::unique_lock lock(mutex_);
  if (taken_ >= end_step_) return nullptr;
  // With the call the batch that it returned before is free, and so is its slot for the thread.
  released_ = taken_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return filled_ > taken_ || error_ != nullptr; });
  if (filled_ <= taken_) std::rethrow_exception(error_);
  return &slots_[taken_++ % kSlots].batch;
}

void Loader::fill_all() {
  std::unique_lock lock(mutex_);
  while (filled_ < end_step_) {
    changed_.wait(lock, [&] { return stop_ || filled_ < released_ + kSlots; });
    if (stop_) return;
    const std::int64_t step = filled_;
    lock.unlock();
    std::exception_ptr error;
    try {
      fill(slots_[step % kSlots], step);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    if (error == nullptr) ++filled_;
    changed_.notify_all();
    if (error != nullptr) return;
  }
}

void Loader::fill(Slot& slot, std::int64_t step) const {
  const auto begin = static_cast<std::size_t>(step * batch_);
  const std::size_t count = std::min(static_cast<std::size_t>(batch_), order_.size() - begin);
  const Floats images = Floats(slot.images).first(count * data_.image_floats());
  const std::span<int> labels = std::span(slot.labels).first(count);
  data_.fill(part_, std::span(order_).subspan(begin, count), images, labels);
  slot.batch = {images, labels};
}

}  // namespace cnn
