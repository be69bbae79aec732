// The thread that fills the next batch while the network works on this one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "cnn/data/dataset.hpp"
#include "cnn/data/shuffle.hpp"

namespace cnn {

/// `images` are [labels.size()][channels][height][width].
struct Batch {
  ConstFloats images;
  Labels labels;
};

/// One pass over a part of a data set in batches of `batch` images, the last one perhaps smaller. Has two
/// batches of memory and allocates no more after its construction. May be destroyed at any moment. `data`
/// must outlive it.
class Loader {
 public:
  /// In the order of the files.
  Loader(const Dataset& data, Part part, int batch);
  /// In the order of an epoch, from step `first_step` of it on.
  Loader(const Dataset& data, Part part, int batch, const Shuffle& shuffle, std::int64_t first_step = 0);
  /// In a given order of places in the part.
  Loader(const Dataset& data, Part part, int batch, std::vector<std::uint32_t> order,
         std::int64_t first_step = 0);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch, which stays until the next call; nullptr after the last. Throws what filling it threw.
  const Batch* next();

 private:
  static constexpr int kSlots = 2;
  struct Slot {
    std::vector<float> images;
    std::vector<int> labels;
    Batch batch;
  };
  void fill_all();
  void fill(Slot& slot, std::int64_t step) const;

  const Dataset& data_;
  const Part part_;
  const std::int64_t batch_, end_step_;
  const std::vector<std::uint32_t> order_;
  Slot slots_[kSlots];

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t filled_;    // the first step that is not filled
  std::int64_t taken_;     // the first step that next() has not returned
  std::int64_t released_;  // the first step that the caller may still read or wait for
  bool stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace cnn
