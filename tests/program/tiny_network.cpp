// The tiny network's tables and its two passes, in plain loops.
#include "tiny_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "cnn/core/random.hpp"
#include "cnn/core/team.hpp"
#include "cnn/training/optimizer.hpp"

namespace {

constexpr std::size_t kHiddenWeights = kTinyHidden * kTinyPixels;
constexpr std::size_t kOutWeights = kTinyClasses * kTinyHidden;
// Places among the parameters; each tensor begins at a multiple of 16 floats.
constexpr std::size_t kHiddenWeight = 0, kHiddenBias = 128, kOutWeight = 144, kOutBias = 176,
                      kParameters = 192;

constexpr cnn::TensorDescription kTensors[] = {
    {"hidden.weight",
     {kTinyHidden, kTinyPixels},
     2,
     kHiddenWeight,
     kHiddenWeights,
     cnn::InitialValues::kUniform,
     0.25f},
    {"hidden.bias", {kTinyHidden}, 1, kHiddenBias, kTinyHidden, cnn::InitialValues::kUniform, 0.25f},
    {"out.weight",
     {kTinyClasses, kTinyHidden},
     2,
     kOutWeight,
     kOutWeights,
     cnn::InitialValues::kUniform,
     0.35f},
    {"out.bias", {kTinyClasses}, 1, kOutBias, kTinyClasses, cnn::InitialValues::kUniform, 0.35f},
};
constexpr cnn::LayerDescription kLayers[] = {
    {"hidden", "dense", "8", 136, 128, "4"}, {"relu1", "relu", "8", 0, 0, "4"}, {"out", "dense", "3", 27, 24, "5"}};
constexpr cnn::LearningTensor kHeadLearning[] = {{2, 144}, {3, 176}};
constexpr cnn::LearningTensor kAllLearning[] = {{0, 0}, {1, 128}, {2, 144}, {3, 176}};
constexpr std::string_view kMetrics[] = {"accuracy", "top5"};
constexpr std::string_view kClasses[] = {"low", "middle", "high"};
constexpr cnn::CheckpointDescription kCheckpoints[] = {{"best.safetensors", "val_loss"}};
constexpr cnn::PhaseDescription kPhases[] = {
    {"head", 2, true, {cnn::Algorithm::kAdam, 0.01}, kHeadLearning, kParameters},
    {"all", 2, false, {}, kAllLearning, kParameters}};

constexpr cnn::PhaseDescription kOnePhase[] = {
    {"main", 2, true, {cnn::Algorithm::kSgd, 0.05, 0.9, true}, kAllLearning, kParameters}};

cnn::ModelDescription describe() {
  cnn::ModelDescription model;
  model.name = "Tiny";
  model.program = "tiny";
  model.spec = "tiny.cnn";
  model.version = "0.1.0";
  model.spec_hash = "0123456789abcdef";
  model.rendered = "cnn 1\n";
  model.input = {1, 4, 4};
  model.outputs = kTinyClasses;
  model.outputs_logits = true;
  model.batch = kTinyBatch;
  model.tensors = kTensors;
  model.layers = kLayers;
  model.data = {.name = "Levels",
                .source = cnn::SourceKind::kIdx,
                .directory = "levels",
                .validation = {cnn::SplitKind::kFraction, 0.25, 0},
                .test = {},
                .class_names = kClasses,
                .prepare = {}};
  model.training = {.loss = cnn::LossKind::kCrossEntropy,
                    .metrics = kMetrics,
                    .seed = 7,
                    .save_every = 2,
                    .checkpoints = kCheckpoints,
                    .phases = kPhases};
  if (std::getenv("TINY_ONE_PHASE") != nullptr) model.training.phases = kOnePhase;
  if (const char* hash = std::getenv("TINY_SPEC_HASH")) model.spec_hash = hash;
  if (std::getenv("TINY_NO_VALIDATION") != nullptr) {
    model.data.validation = {};
    model.training.checkpoints = {};
  }
  model.memory = {.parameters = kParameters,
                  .gradients = kParameters,
                  .optimizer = 2 * (kHiddenWeights + kTinyHidden + kOutWeights + kTinyClasses),
                  .activations = kTinyBatch * (kTinyPixels + 2 * kTinyHidden + kTinyClasses),
                  .thread_scratch = 16};
  return model;
}

class TinyNetwork : public cnn::Network {
 public:
  TinyNetwork(int threads, const cnn::ModelDescription& description) : Network(description, threads) {}

 private:
  float step(int phase, cnn::ConstFloats images, cnn::Labels labels, const cnn::RandomKey& random,
             cnn::Optimizer& optimizer) override {
    const int batch = static_cast<int>(labels.size());
    at(0);
    cnn::for_each_tile(batch, [&](int image) {
      for (int pixel = 0; pixel < kTinyPixels; ++pixel) {
        const auto place = static_cast<std::size_t>(image * kTinyPixels + pixel);
        const bool kept = cnn::uniform(random, 0, place) >= 0.25f;
        inputs_[place] = kept ? images[place] / 0.75f : 0.0f;
      }
      forward(image);
    });
    at(cnn::Frame::kOutput);
    const float loss = mean_loss(labels, /*differentiate=*/true);
    backward_at(2);
    backward(phase, batch);
    at(cnn::Frame::kUpdate);
    optimizer.update(parameters(), gradients_);
    return loss;
  }

  float evaluate_on_team(cnn::ConstFloats images, cnn::Labels labels) override {
    predict_logits(images, static_cast<int>(labels.size()));
    return mean_loss(labels, /*differentiate=*/false);
  }

  void predict_on_team(cnn::ConstFloats images, int count) override {
    predict_logits(images, count);
    cnn::for_each_tile(count,
                       [&](int image) { softmax(scores_memory(count).data() + image * kTinyClasses); });
  }

  void predict_logits(cnn::ConstFloats images, int count) {
    cnn::for_each_tile(count, [&](int image) {
      const auto begin = static_cast<std::size_t>(image * kTinyPixels);
      std::copy_n(images.begin() + static_cast<std::ptrdiff_t>(begin), kTinyPixels,
                  inputs_.begin() + image * kTinyPixels);
      forward(image);
    });
  }

  void forward(int image) {
    const float* input = inputs_.data() + image * kTinyPixels;
    float* hidden = hidden_.data() + image * kTinyHidden;
    const float* values = parameters(0, kParameters).data();
    for (int unit = 0; unit < kTinyHidden; ++unit) {
      float sum = values[kHiddenBias + static_cast<std::size_t>(unit)];
      for (int i = 0; i < kTinyPixels; ++i)
        sum += values[kHiddenWeight + static_cast<std::size_t>(unit * kTinyPixels + i)] * input[i];
      hidden[unit] = sum > 0 ? sum : 0;
    }
    float* scores = scores_memory(1).data() + image * kTinyClasses;
    for (int unit = 0; unit < kTinyClasses; ++unit) {
      scores[unit] = values[kOutBias + static_cast<std::size_t>(unit)];
      for (int i = 0; i < kTinyHidden; ++i)
        scores[unit] += values[kOutWeight + static_cast<std::size_t>(unit * kTinyHidden + i)] * hidden[i];
    }
  }

  static void softmax(float* row) {
    const float largest = *std::max_element(row, row + kTinyClasses);
    float sum = 0;
    for (int i = 0; i < kTinyClasses; ++i) sum += row[i] = std::exp(row[i] - largest);
    for (int i = 0; i < kTinyClasses; ++i) row[i] /= sum;
  }

  /// Each image's loss, and where asked the gradient of the mean by the scores.
  float mean_loss(cnn::Labels labels, bool differentiate) {
    const int batch = static_cast<int>(labels.size());
    const cnn::Floats losses = losses_memory(batch);
    cnn::for_each_tile(batch, [&](int image) {
      std::array<float, kTinyClasses> row;
      std::copy_n(scores_memory(batch).data() + image * kTinyClasses, kTinyClasses, row.begin());
      softmax(row.data());
      const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(image)]);
      losses[static_cast<std::size_t>(image)] = -std::log(row[label]);
      if (!differentiate) return;
      row[label] -= 1;
      for (int i = 0; i < kTinyClasses; ++i)
        d_scores_[static_cast<std::size_t>(image * kTinyClasses + i)] =
            row[static_cast<std::size_t>(i)] / static_cast<float>(batch);
    });
    float sum = 0;
    for (const float loss : losses) sum += loss;
    return sum / static_cast<float>(batch);
  }

  void backward(int phase, int batch) {
    // A tile is a row of weights, so each sum runs over the images in one order.
    cnn::for_each_tile(kTinyClasses, [&](int unit) {
      float* row = gradients_.data() + kOutWeight + unit * kTinyHidden;
      std::fill_n(row, kTinyHidden, 0.0f);
      float bias = 0;
      for (int image = 0; image < batch; ++image) {
        const float d = d_scores_[static_cast<std::size_t>(image * kTinyClasses + unit)];
        bias += d;
        for (int i = 0; i < kTinyHidden; ++i)
          row[i] += d * hidden_[static_cast<std::size_t>(image * kTinyHidden + i)];
      }
      gradients_[kOutBias + static_cast<std::size_t>(unit)] = bias;
    });
    if (phase == 0) return;
    cnn::for_each_tile(kTinyHidden, [&](int unit) {
      float* row = gradients_.data() + kHiddenWeight + unit * kTinyPixels;
      std::fill_n(row, kTinyPixels, 0.0f);
      float bias = 0;
      for (int image = 0; image < batch; ++image) {
        if (hidden_[static_cast<std::size_t>(image * kTinyHidden + unit)] <= 0) continue;
        float d = 0;
        for (int i = 0; i < kTinyClasses; ++i)
          d += d_scores_[static_cast<std::size_t>(image * kTinyClasses + i)] *
               parameters()[kOutWeight + static_cast<std::size_t>(i * kTinyHidden + unit)];
        bias += d;
        for (int i = 0; i < kTinyPixels; ++i)
          row[i] += d * inputs_[static_cast<std::size_t>(image * kTinyPixels + i)];
      }
      gradients_[kHiddenBias + static_cast<std::size_t>(unit)] = bias;
    });
  }

  using Network::gradients;
  using Network::parameters;
  cnn::Floats gradients_ = gradients(0, kParameters);
  cnn::Floats inputs_ = floats(0, kTinyBatch* kTinyPixels);
  cnn::Floats hidden_ = floats(kTinyBatch * kTinyPixels, kTinyBatch* kTinyHidden);
  cnn::Floats d_scores_ = floats(kTinyBatch * (kTinyPixels + kTinyHidden), kTinyBatch* kTinyClasses);
};

}  // namespace

const cnn::ModelDescription& tiny_description() {
  static const cnn::ModelDescription model = describe();
  return model;
}

std::unique_ptr<cnn::Network> make_tiny_network(int threads) {
  return std::make_unique<TinyNetwork>(threads, tiny_description());
}

std::unique_ptr<cnn::Network> make_tiny_network_that_predicts_threes(int threads) {
  static const cnn::ModelDescription model = [] {
    cnn::ModelDescription result = describe();
    result.predicted = 3;
    return result;
  }();
  return std::make_unique<TinyNetwork>(threads, model);
}
