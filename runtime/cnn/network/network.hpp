// The common side of every generated model: its memory, and the functions a program calls. What runs inside
// is generated.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "cnn/core/types.hpp"
#include "description.hpp"
#include "batch_part.hpp"
#include "profile.hpp"

namespace cnn {

class Optimizer;

/// Floats that a network on `threads` threads takes: the plan's regions, scores and losses, each rounded up
/// to 16.
std::size_t arena_floats(const ModelDescription& model, int threads);

/// A generated model with its one arena. Images are NCHW floats, prepared as the spec says; labels count from
/// 0. Not for use by several threads at once: it has a team of its own.
class Network {
 public:
  virtual ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const ModelDescription& description() const { return description_; }
  int threads() const { return threads_; }
  std::size_t arena_bytes() const { return arena_bytes_; }
  /// The most images of one call, the floats of one image, and the scores of one.
  int batch() const { return description_.batch; }
  std::size_t image_floats() const;
  int outputs() const { return description_.outputs; }

  /// One training step of phase `phase` on labels.size() images (at most description().batch): forward, loss,
  /// backward, update. Returns the mean loss. Afterwards losses() and scores() hold each image's. Allocates
  /// nothing.
  float train_step(int phase, ConstFloats images, Labels labels, const RandomKey& random,
                   Optimizer& optimizer);
  /// Forward as at prediction time and each image's loss; returns the mean. scores() are those the loss sees.
  float evaluate(ConstFloats images, Labels labels);
  /// Forward as at prediction time. Returns scores(), [images][outputs]: probabilities where the model
  /// classifies.
  ConstFloats predict(ConstFloats images, int count);

  /// From now on only predict() is called: as it prepares weights the next time, the memory of those is given back of which nothing but
  /// what is prepared is read. Their values are lost with it. The calls that would read them throw std::logic_error from then on, as predict()
  /// does if use_instruction_set() has been called and weights have to be prepared in another way.
  void only_predict();

  /// [images][outputs] and [images] of the last call.
  ConstFloats scores() const { return scores_; }
  ConstFloats losses() const { return losses_; }

  /// The values of tensor `index` of description().tensors. What is written through it counts for predict() if it is
  /// written before predict() is called; later on, ask for it again.
  Floats tensor(int index);
  ConstFloats tensor(int index) const;
  /// All tensors, one after the other; the gradients of the last step, as the phase's table places them; the
  /// moments.
  Floats parameters();
  ConstFloats parameters() const;
  ConstFloats gradients() const { return gradients_; }
  Floats optimizer_state() { return optimizer_state_; }

  /// From now on `profile` is told how long each layer takes; null: no more. It needs a place for each of description().layers.
  void set_profile(Profile* profile) { profile_ = profile; }

 protected:
  Network(const ModelDescription& description, int threads);

  // Generated. Run on every thread of the team; kernels share the work among them.
  // A model that nothing trains overrides only the last; the others then throw std::logic_error.
  virtual float step(int phase, ConstFloats images, Labels labels, const RandomKey& random,
                     Optimizer& optimizer);
  virtual float evaluate_on_team(ConstFloats images, Labels labels);
  virtual void predict_on_team(ConstFloats images, int count) = 0;
  // What predict_on_team() needs of the weights, made anew only where they may have changed.
  virtual void prepare_on_team() {}
  /// Collective. Called by prepare_on_team() where predictions read nothing of a tensor but what it has just been prepared to.
  void read_no_more(Floats tensor);

  /// Calls `work(part)` for each part of description().part images, as tiles of the team; `random` is for training steps.
  template <class Work>
  void for_each_part(ConstFloats images, Labels labels, const RandomKey& random, const Work& work) {
    run_parts({images, labels, static_cast<int>(labels.size()), random}, call_work<Work>, &work);
  }
  template <class Work>
  void for_each_part(ConstFloats images, Labels labels, const Work& work) {
    for_each_part(images, labels, RandomKey(), work);
  }
  template <class Work>
  void for_each_part(ConstFloats images, int count, const Work& work) {
    run_parts({images, {}, count, {}}, call_work<Work>, &work);
  }
  /// The first `floats` gradients = the sums of those of all parts of `batch` images, in order.
  void add_part_gradients(std::size_t floats, int batch);

  /// Views of the arena for generated code: `offset` in floats from the region's start.
  Floats parameters(std::size_t offset, std::size_t count) { return parameters_.subspan(offset, count); }
  Floats gradients(std::size_t offset, std::size_t count) { return gradients_.subspan(offset, count); }
  Blocked blocked(std::size_t offset, std::ptrdiff_t stride) {
    return {activations_.data() + offset, stride};
  }
  Floats floats(std::size_t offset, std::size_t count) { return activations_.subspan(offset, count); }
  std::span<std::uint8_t> bytes(std::size_t offset, std::size_t count);
  /// Scratch of the threads, and what they share of the activations' region.
  Scratch scratch() const { return scratch_; }
  Scratch scratch(std::size_t offset, std::size_t count) const {
    return {activations_.data() + offset, scratch_.threads, scratch_.per_thread, count};
  }
  /// Marks in generated code: what follows belongs to layer `index` of description().layers, or is part of no layer. Not inline:
  /// a branch for each layer makes compiling a large step several times as slow.
  void at(int index);
  void backward_at(int index);
  void at(Frame frame);
  Floats scores_memory(int images);
  Floats losses_memory(int images);

 private:
  /// All that parts are cut from.
  struct Whole {
    ConstFloats images;
    Labels labels;
    int batch;
    RandomKey random;
  };
  template <class Work>
  static void call_work(const void* work, const BatchPart& part) {
    (*static_cast<const Work*>(work))(part);
  }
  // Through a pointer, so that the team stays out of this header, and without std::function, which may allocate.
  void run_parts(const Whole& whole, void (*call)(const void* work, const BatchPart& part), const void* work);
  BatchPart part(const Whole& whole, int index);
  void require_tensors() const;
  void require_batch(std::size_t images, std::size_t floats) const;
  void require_labels(Labels labels) const;
  void keep_results(std::size_t images);

  const ModelDescription& description_;
  int threads_;
  std::size_t arena_bytes_ = 0;
  float* arena_ = nullptr;
  Floats parameters_, gradients_, optimizer_state_, activations_, scores_memory_, losses_memory_;
  Floats part_gradients_, part_memory_;
  Scratch scratch_;
  ConstFloats scores_, losses_;
  Profile* profile_ = nullptr;
  bool prepared_for_tiles_ = false;            // the kernels that weights are prepared for have tiles of bf16 numbers
  bool only_predicts_ = false, tensors_lost_ = false;
  int first_scored_ = 0;                       // of the images that are predicted at this time
  std::atomic<bool> weights_changed_ = true;  // since predict() prepared them
};

}  // namespace cnn
