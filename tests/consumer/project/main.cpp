// Trains a model for two steps, keeps its weights, and predicts with them: all through the generated class.
#include <cnn/training/initialize.hpp>
#include <cnn/training/optimizer.hpp>
#include <cnn/weights.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

#include "squares.hpp"
#include "stripes.hpp"

namespace {

constexpr int kImages = 6;

int fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  return 1;
}

bool sums_to_one(cnn::ConstFloats scores) {
  float sum = 0;
  for (const float score : scores) sum += score;
  return std::abs(sum - 1) < 1e-5f;
}

// Stripes of two pixels: across in images of even number, upright in the others.
std::vector<float> striped_images() {
  std::vector<float> images;
  for (int image = 0; image < kImages; ++image)
    for (int row = 0; row < 8; ++row)
      for (int column = 0; column < 8; ++column)
        images.push_back(((image % 2 == 0 ? row : column) + image / 2) % 4 < 2 ? 1.0f : -1.0f);
  return images;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fail("usage: app WEIGHTS.safetensors");
  const std::vector<float> images = striped_images();
  const std::vector<int> labels = {0, 1, 0, 1, 0, 1};

  models::Stripes network(2);  // a team of two threads
  if (network.batch() != 16) return fail("SET batch=16 is not in the model");
  cnn::initialize(network, 1);
  cnn::Optimizer optimizer(network);
  float losses[2] = {};
  for (std::uint64_t step = 0; step < 2; ++step)
    losses[step] = network.train_step(0, images, labels, {.seed = 1, .step = step}, optimizer);
  std::printf("losses %.6f %.6f\n", losses[0], losses[1]);
  if (!std::isfinite(losses[1]) || losses[0] == losses[1]) return fail("two steps did not change the loss");
  cnn::save_weights(argv[1], network);

  models::Stripes other;
  if (!cnn::load_weights(argv[1], other).empty()) return fail("its own weights are foreign to it");
  const cnn::ConstFloats learned = network.predict(images, kImages);
  const cnn::ConstFloats loaded = other.predict(images, kImages);
  for (std::size_t i = 0; i < learned.size(); ++i)
    if (learned[i] != loaded[i]) return fail("loaded weights predict something else");
  for (std::size_t image = 0; image < kImages; ++image)
    if (!sums_to_one(loaded.subspan(image * 2, 2))) return fail("these are no probabilities");

  models::Squares squares;
  cnn::initialize(squares, 1);
  const std::vector<float> pixels(squares.image_floats(), 0.5f);
  if (!sums_to_one(squares.predict(pixels, 1)) || squares.outputs() != 5)
    return fail("Squares does not predict");
  try {
    squares.predict(pixels, 2);
    return fail("two images in the floats of one");
  } catch (const std::invalid_argument& error) {
    std::printf("refused: %s\n", error.what());
  }
  return 0;
}
