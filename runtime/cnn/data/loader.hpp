// The threads that fill the next batch while the network works on this one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
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
/// batches of memory. May be destroyed at any moment. `data` must outlive it. Which thread fills what makes
/// no difference.
class Loader {
 public:
  /// In the order of the files.
  Loader(const Dataset& data, Part part, int batch);
  /// In the order of an epoch, from step `first_step` of it on; the training part is augmented.
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
  Loader(const Dataset& data, Part part, int batch, std::vector<std::uint32_t> order, std::int64_t first_step,
         std::optional<Shuffle> epoch);
  void work();
  std::int64_t count_of(std::int64_t step) const;
  void fill(Slot& slot, std::int64_t step, std::int64_t first, std::int64_t count,
            Workspace& workspace) const;

  const Dataset& data_;
  const Part part_;
  const std::int64_t batch_, end_step_;
  const std::vector<std::uint32_t> order_;
  const std::optional<Shuffle> epoch_;
  std::int64_t images_at_once_;  // that a thread takes
  Slot slots_[kSlots];

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t filled_;     // the first step that is not filled
  std::int64_t given_ = 0;  // images of that step that threads have taken
  std::int64_t done_ = 0;   // and those that they have filled
  std::int64_t taken_;      // the first step that next() has not returned
  std::int64_t released_;   // the first step that the caller may still read or wait for
  bool stop_ = false;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;  // last: they use all the others
};

}  // namespace cnn
