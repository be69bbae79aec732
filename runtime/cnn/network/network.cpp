// Network: the arena, its regions, and the way into the team. What runs inside the team is generated.
#include "network.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <utility>

#include "cnn/core/instructions.hpp"
#include "cnn/core/sgemm.hpp"
#include "cnn/core/team.hpp"

namespace cnn {
namespace {

constexpr std::size_t kAlignment = 16;  // floats: a cache line, and a vector of AVX-512

std::size_t aligned(std::size_t floats) {
  return (floats + kAlignment - 1) / kAlignment * kAlignment;
}

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Zeroed memory whose pages come into being as they are touched, so that a plan's unused parts cost nothing. A large plan
/// gets huge pages where the system has them: kernels walk over many maps at once, more than a processor remembers small
/// pages.
float* allocate(std::size_t bytes) {
  const bool large = bytes >= 4 * kHugePage;
  const std::size_t taken = large ? bytes + kHugePage : bytes;
  void* memory = mmap(nullptr, taken, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (!large) return static_cast<float*>(memory);
  // Give back what is before the first whole huge page, and as much less than one behind.
  constexpr std::uintptr_t kPage = 4096;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t aligned_begin = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const std::uintptr_t end = (aligned_begin + bytes + kPage - 1) / kPage * kPage;
  if (aligned_begin > begin) munmap(memory, aligned_begin - begin);
  if (end < begin + taken) munmap(reinterpret_cast<void*>(end), begin + taken - end);
#ifdef MADV_HUGEPAGE
  madvise(reinterpret_cast<void*>(aligned_begin), bytes, MADV_HUGEPAGE);  // a wish: without it all works as well
#endif
  return reinterpret_cast<float*>(aligned_begin);
}

/// Begins a profile where there is one, and ends it with the scope.
class Watched {
 public:
  explicit Watched(Profile* profile) : profile_(profile) {
    if (profile_ != nullptr) profile_->begin();
  }
  ~Watched() {
    if (profile_ != nullptr) profile_->end();
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  Profile* profile_;
};

/// Of a thread's memory for parts.
std::size_t part_floats(const MemoryDescription& memory) {
  return aligned(memory.part_activations) + aligned(memory.part_scratch);
}

/// Cuts one region after the other from the arena.
class Cutter {
 public:
  explicit Cutter(float* arena) : next_(arena) {}
  Floats cut(std::size_t floats) {
    const Floats region(next_, floats);
    next_ += aligned(floats);
    return region;
  }

 private:
  float* next_;
};

}  // namespace

std::size_t arena_floats(const ModelDescription& model, int threads) {
  const MemoryDescription& memory = model.memory;
  const auto batch = static_cast<std::size_t>(model.batch);
  return aligned(memory.parameters) + aligned(memory.gradients) + aligned(memory.optimizer) +
         aligned(memory.activations) +
         (aligned(memory.thread_scratch) + part_floats(memory)) * static_cast<std::size_t>(threads) +
         aligned(memory.part_gradients) +
         aligned(batch * static_cast<std::size_t>(model.outputs)) + aligned(batch);
}

Network::Network(const ModelDescription& description, int threads)
    : description_(description), threads_(threads) {
  if (threads < 1)
    throw std::invalid_argument(fmt::format("a network runs on 1 thread or more, not {}", threads));
  prepare_blas(threads);
  arena_bytes_ = arena_floats(description, threads) * sizeof(float);
  arena_ = allocate(arena_bytes_);

  const MemoryDescription& memory = description.memory;
  const auto batch = static_cast<std::size_t>(description.batch);
  Cutter cutter(arena_);
  parameters_ = cutter.cut(memory.parameters);
  gradients_ = cutter.cut(memory.gradients);
  optimizer_state_ = cutter.cut(memory.optimizer);
  activations_ = cutter.cut(memory.activations);
  scratch_.per_thread = aligned(memory.thread_scratch);  // so that threads share no cache line
  scratch_.threads = cutter.cut(scratch_.per_thread * static_cast<std::size_t>(threads)).data();
  part_gradients_ = cutter.cut(memory.part_gradients);
  part_memory_ = cutter.cut(part_floats(memory) * static_cast<std::size_t>(threads));
  scores_memory_ = cutter.cut(batch * static_cast<std::size_t>(description.outputs));
  losses_memory_ = cutter.cut(batch);
}

Network::~Network() {
  munmap(arena_, arena_bytes_);
}

float Network::train_step(int phase, ConstFloats images, Labels labels, const RandomKey& random,
                          Optimizer& optimizer) {
  const auto phases = static_cast<int>(description_.training.phases.size());
  if (phase < 0 || phase >= phases)
    throw std::invalid_argument(
        fmt::format("{} has {} phases, so none with index {}", description_.name, phases, phase));
  require_batch(labels.size(), images.size());
  require_labels(labels);
  require_tensors();
  weights_changed_ = true;
  float loss = 0;
  const Watched watched(profile_);
  run_team(threads_, [&] {
    const float value = step(phase, images, labels, random, optimizer);
    if (team_rank() == 0) loss = value;  // every thread has the same
  });
  keep_results(labels.size());
  return loss;
}

float Network::evaluate(ConstFloats images, Labels labels) {
  if (description_.training.loss == LossKind::kNone)
    throw std::invalid_argument(
        fmt::format("{} has no loss to evaluate: its spec has no train", description_.name));
  require_batch(labels.size(), images.size());
  require_labels(labels);
  require_tensors();
  float loss = 0;
  const Watched watched(profile_);
  run_team(threads_, [&] {
    const float value = evaluate_on_team(images, labels);
    if (team_rank() == 0) loss = value;
  });
  keep_results(labels.size());
  return loss;
}

ConstFloats Network::predict(ConstFloats images, int count) {
  require_batch(count < 0 ? 0 : static_cast<std::size_t>(count), images.size());
  {
    const Watched watched(profile_);
    const bool tiles = has_bf16_tiles();  // which prepared weights are for
    const bool prepare = weights_changed_.exchange(false) || prepared_for_tiles_ != tiles;
    if (prepare) require_tensors();
    prepared_for_tiles_ = tiles;
    const int most = description_.predicted > 0 ? description_.predicted : count;
    for (first_scored_ = 0; first_scored_ < count; first_scored_ += most) {
      const int some = std::min(most, count - first_scored_);
      const ConstFloats own = images.subspan(static_cast<std::size_t>(first_scored_) * image_floats(), static_cast<std::size_t>(some) * image_floats());
      run_team(threads_, [&] {
        if (prepare && first_scored_ == 0) prepare_on_team();
        predict_on_team(own, some);
      });
    }
    first_scored_ = 0;
    tensors_lost_ = only_predicts_;
  }
  keep_results(static_cast<std::size_t>(count));
  losses_ = {};
  return scores_;
}

BatchPart Network::part(const Whole& whole, int index) {
  const auto first = static_cast<std::size_t>(index) * static_cast<std::size_t>(description_.part);
  const std::size_t count = std::min(static_cast<std::size_t>(description_.part), static_cast<std::size_t>(whole.batch) - first);
  const auto outputs = static_cast<std::size_t>(description_.outputs);
  const std::size_t activations = aligned(description_.memory.part_activations);
  const std::size_t gradients = description_.memory.gradients;
  const bool labelled = !whole.labels.empty();
  const Floats memory = part_memory_.subspan(part_floats(description_.memory) * static_cast<std::size_t>(team_rank()));
  BatchPart part{.batch = static_cast<int>(count),
            .images = whole.images.subspan(first * image_floats(), count * image_floats()),
            .labels = labelled ? whole.labels.subspan(first, count) : Labels(),
            .all_labels = whole.labels,
            .losses = losses_memory_.subspan(first, count),
            .scores = scores_memory_.subspan(first * outputs, count * outputs),
            .random = whole.random,
            .scratch = scratch_,
            .activations = memory.first(activations),
            .own_gradients = labelled ? part_gradients_.subspan(gradients * static_cast<std::size_t>(index), gradients) : Floats()};
  part.random.first_image = first;
  part.scratch.shared = memory.data() + activations;
  return part;
}

void Network::run_parts(const Whole& whole, void (*call)(const void*, const BatchPart&), const void* work) {
  for_each_tile(block_count(whole.batch, description_.part), [&](int index) {
    const TeamMember member = std::exchange(team_member, {});
    at(Frame::kInput);
    call(work, part(whole, index));
    at(Frame::kOutput);  // where the others' parts are waited for
    team_member = member;
  });
}

void Network::add_part_gradients(std::size_t floats, int batch) {
  constexpr std::size_t kTile = 2048;
  const auto parts = static_cast<std::size_t>(block_count(batch, description_.part));
  const std::size_t apart = description_.memory.gradients;
  for_each_tile(static_cast<int>((floats + kTile - 1) / kTile), [&](int tile) {
    const std::size_t begin = static_cast<std::size_t>(tile) * kTile, count = std::min(kTile, floats - begin);
    float* __restrict sums = gradients_.data() + begin;
    const float* __restrict from = part_gradients_.data() + begin;
    constexpr std::size_t kLine = 16;  // gradients are made of whole cache lines
    for (std::size_t line = 0; line < count; line += kLine) {
      float sum[kLine] = {};
      for (std::size_t part = 0; part < parts; ++part) {
        for (std::size_t i = 0; i < kLine; ++i) sum[i] += from[part * apart + line + i];
      }
      std::copy_n(sum, kLine, sums + line);
    }
  });
}

// Kernels return when all threads are done, so that one thread's clock tells for all.
void Network::at(int index) {
  if (profile_ != nullptr && team_rank() == 0) profile_->forward(index);
}

void Network::backward_at(int index) {
  if (profile_ != nullptr && team_rank() == 0) profile_->backward(index);
}

void Network::at(Frame frame) {
  if (profile_ != nullptr && team_rank() == 0) profile_->frame(frame);
}

std::size_t Network::image_floats() const {
  const auto [channels, height, width] = description_.input;
  return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
         static_cast<std::size_t>(width);
}

// Out of reach through train_step() and evaluate(), which refuse before the team is opened.
float Network::step(int, ConstFloats, Labels, const RandomKey&, Optimizer&) {
  throw std::logic_error(fmt::format("{} has no training step", description_.name));
}

float Network::evaluate_on_team(ConstFloats, Labels) {
  throw std::logic_error(fmt::format("{} has no loss", description_.name));
}

void Network::only_predict() {
  if (only_predicts_) return;
  only_predicts_ = true;
  weights_changed_ = true;  // what was prepared before is prepared once more, and gives back what it is made of
}

// Whole pages of it; what shares a page with others stays. Nobody goes on to the next tensor before, or there would be two more of them.
void Network::read_no_more(Floats tensor) {
  if (!only_predicts_) return;
  for_each_tile(1, [&](int) {
    constexpr std::uintptr_t kPage = 4096;
    const auto begin = reinterpret_cast<std::uintptr_t>(tensor.data()), end = begin + tensor.size_bytes();
    const std::uintptr_t first = (begin + kPage - 1) / kPage * kPage, last = end / kPage * kPage;
    if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  });
}

void Network::require_tensors() const {
  if (tensors_lost_) throw std::logic_error(fmt::format("{} only predicts: its weights were given back", description_.name));
}

ConstFloats Network::parameters() const {
  require_tensors();
  return parameters_;
}

Floats Network::parameters() {
  require_tensors();
  weights_changed_.store(true, std::memory_order_relaxed);  // by each thread of a step
  return parameters_;
}

Floats Network::tensor(int index) {
  require_tensors();
  weights_changed_ = true;
  const TensorDescription& tensor = description_.tensors[static_cast<std::size_t>(index)];
  return parameters_.subspan(tensor.offset, tensor.count);
}

ConstFloats Network::tensor(int index) const {
  require_tensors();
  const TensorDescription& tensor = description_.tensors[static_cast<std::size_t>(index)];
  return ConstFloats(parameters_).subspan(tensor.offset, tensor.count);
}

std::span<std::uint8_t> Network::bytes(std::size_t offset, std::size_t count) {
  return {reinterpret_cast<std::uint8_t*>(activations_.data() + offset), count};
}

Floats Network::scores_memory(int images) {
  const auto outputs = static_cast<std::size_t>(description_.outputs);
  return scores_memory_.subspan(static_cast<std::size_t>(first_scored_) * outputs, static_cast<std::size_t>(images) * outputs);
}

Floats Network::losses_memory(int images) {
  return losses_memory_.first(static_cast<std::size_t>(images));
}

void Network::require_batch(std::size_t images, std::size_t floats) const {
  if (images == 0 || images > static_cast<std::size_t>(description_.batch))
    throw std::invalid_argument(fmt::format("{} is planned for 1 to {} images at once, not {}",
                                            description_.name, description_.batch, images));
  const auto [channels, height, width] = description_.input;
  const std::size_t expected = images * image_floats();
  if (floats != expected)
    throw std::invalid_argument(fmt::format("{} images of {}x{}x{} are {} floats, not {}", images, channels,
                                            height, width, expected, floats));
}

void Network::require_labels(Labels labels) const {
  for (const int label : labels)
    if (label < 0 || label >= description_.outputs)
      throw std::invalid_argument(fmt::format("label {} is not one of {}'s outputs 0 to {}", label,
                                              description_.name, description_.outputs - 1));
}

void Network::keep_results(std::size_t images) {
  scores_ = scores_memory_.first(images * static_cast<std::size_t>(description_.outputs));
  losses_ = losses_memory_.first(images);
}

}  // namespace cnn
