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
    : Loader(data, part, batch, epoch_order(static_cast<std::uint32_t>(data.size(part)), shuffle), first_step,
             shuffle) {}

Loader::Loader(const Dataset& data, Part part, int batch, std::vector<std::uint32_t> order,
               std::int64_t first_step)
    : Loader(data, part, batch, std::move(order), first_step, std::nullopt) {}

Loader::Loader(const Dataset& data, Part part, int batch, std::vector<std::uint32_t> order,
               std::int64_t first_step, std::optional<Shuffle> epoch)
    : data_(data),
      part_(part),
      batch_(require_positive(batch)),
      end_step_((static_cast<std::int64_t>(order.size()) + batch_ - 1) / batch_),
      order_(std::move(order)),
      epoch_(epoch),
      filled_(first_step),
      taken_(first_step),
      released_(first_step) {
  if (first_step < 0) throw std::invalid_argument("a pass begins at step 0 or later");
  const std::size_t most = std::min(static_cast<std::size_t>(batch_), order_.size());
  for (Slot& slot : slots_) {
    slot.images.resize(most * data.image_floats());
    slot.labels.resize(most);
  }
  const int threads = data.filling_threads(epoch_.has_value() && part == Part::kTrain);
  images_at_once_ = threads == 1 ? batch_ : 1;
  threads_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

const Batch* Loader::next() {
  std::unique_lock lock(mutex_);
  if (taken_ >= end_step_) return nullptr;
  // With the call the batch that it returned before is free, and so is its slot for the threads.
  released_ = taken_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return filled_ > taken_ || error_ != nullptr; });
  if (filled_ <= taken_) std::rethrow_exception(error_);
  return &slots_[taken_++ % kSlots].batch;
}

std::int64_t Loader::count_of(std::int64_t step) const {
  return std::min(batch_, static_cast<std::int64_t>(order_.size()) - step * batch_);
}

void Loader::work() {
  Workspace workspace;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] {
      if (stop_ || error_ != nullptr || filled_ >= end_step_) return true;
      return filled_ < released_ + kSlots && given_ < count_of(filled_);
    });
    if (stop_ || error_ != nullptr || filled_ >= end_step_) return;
    const std::int64_t step = filled_, first = given_;
    const std::int64_t count = std::min(images_at_once_, count_of(step) - first);
    given_ += count;
    lock.unlock();
    std::exception_ptr error;
    try {
      fill(slots_[step % kSlots], step, first, count, workspace);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    done_ += count;
    if (error != nullptr && error_ == nullptr) error_ = error;
    if (error_ == nullptr && done_ == count_of(step)) {
      ++filled_;
      given_ = done_ = 0;
    } else if (error_ == nullptr) {
      continue;  // nobody waits for a part of a batch
    }
    changed_.notify_all();
  }
}

void Loader::fill(Slot& slot, std::int64_t step, std::int64_t first, std::int64_t count,
                  Workspace& workspace) const {
  const std::size_t floats = data_.image_floats();
  const auto begin = static_cast<std::size_t>(first), images = static_cast<std::size_t>(count);
  const auto size = static_cast<std::size_t>(count_of(step));
  data_.fill(part_, std::span(order_).subspan(static_cast<std::size_t>(step * batch_) + begin, images),
             Floats(slot.images).subspan(begin * floats, images * floats),
             std::span(slot.labels).subspan(begin, images), epoch_ ? &*epoch_ : nullptr, workspace);
  if (first == 0) slot.batch = {Floats(slot.images).first(size * floats), std::span(slot.labels).first(size)};
}

}  // namespace cnn
