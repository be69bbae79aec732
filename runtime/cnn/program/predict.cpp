// `predict`: the most probable classes of images in IDX files.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "cnn/data/idx.hpp"
#include "cnn/data/prepare.hpp"
#include "commands.hpp"
#include "describe.hpp"
#include "errors.hpp"
#include "weights_file.hpp"

namespace cnn::program {
namespace {

using Json = nlohmann::ordered_json;

struct Guess {
  std::string name;
  float probability = 0;
};

/// Collects images until a batch is full, runs it, and hands out each image's best classes.
class Predictor {
 public:
  Predictor(Network& network, int top)
      : network_(network), model_(network.description()), top_(std::min(top, model_.outputs)) {
    const auto [channels, height, width] = model_.input;
    image_floats_ = static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
                    static_cast<std::size_t>(width);
    images_.resize(image_floats_ * static_cast<std::size_t>(model_.batch));
  }

  /// Where the next image's floats go; count() grows with take().
  Floats next_image() {
    return Floats(images_).subspan(static_cast<std::size_t>(count_) * image_floats_, image_floats_);
  }
  bool take() { return ++count_ == model_.batch; }

  template <class Use>
  void flush(Use&& use) {
    if (count_ == 0) return;
    network_.predict(ConstFloats(images_).first(static_cast<std::size_t>(count_) * image_floats_), count_);
    for (int image = 0; image < count_; ++image) use(best(image));
    count_ = 0;
  }

 private:
  std::vector<Guess> best(int image) const {
    const auto outputs = static_cast<std::size_t>(model_.outputs);
    const ConstFloats scores = network_.scores().subspan(static_cast<std::size_t>(image) * outputs, outputs);
    std::vector<int> order(outputs);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    std::vector<Guess> guesses;
    for (int i = 0; i < top_; ++i) {
      const int index = order[static_cast<std::size_t>(i)];
      guesses.push_back({class_name(model_, index), scores[static_cast<std::size_t>(index)]});
    }
    return guesses;
  }

  Network& network_;
  const ModelDescription& model_;
  int top_;
  std::size_t image_floats_ = 0;
  int count_ = 0;
  std::vector<float> images_;
};

/// Says what a file is that people are likely to try.
void refuse_pictures(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> begin{};
  file.read(begin.data(), begin.size());
  const std::string_view magic(begin.data(), begin.size());
  const char* kind = magic == "\x89PNG" ? "PNG" : magic.starts_with("\xff\xd8\xff") ? "JPEG" : nullptr;
  if (kind != nullptr)
    throw UserError(fmt::format("{}: this is a {} picture; predict reads IDX files of images, plain or gzip",
                                path.string(), kind));
}

Preparation prepare_for(const std::filesystem::path& path, const IdxImages& header,
                        const ModelDescription& model) {
  const std::array<int, 3> shape = {1, header.height, header.width};
  try {
    Preparation preparation(model.data.prepare, shape);
    if (preparation.shape() == model.input) return preparation;
    throw UserError(fmt::format("{}: its images are 1x{}x{}, and {} takes {}", path.string(), header.height,
                                header.width, model.name, input_text(model)));
  } catch (const std::invalid_argument& error) {
    throw UserError(fmt::format("{}: {}", path.string(), error.what()));
  }
}

template <class Use>
void predict_file(const std::filesystem::path& path, std::int64_t first, Predictor& predictor,
                  const ModelDescription& model, Use&& use) {
  refuse_pictures(path);
  std::optional<Preparation> preparation;
  std::vector<std::uint8_t> resized, scratch;
  std::int64_t index = 0;
  const auto show = [&](const std::vector<Guess>& guesses) { use(index++, guesses); };
  std::int64_t taken = 0;
  read_idx_images(path, [&](const IdxImages& header, std::uint32_t, std::span<const std::uint8_t> bytes) {
    if (!preparation) {
      preparation.emplace(prepare_for(path, header, model));
      resized.resize(preparation->bytes_after());
      scratch.resize(preparation->scratch_bytes());
    }
    for (std::size_t place = 0; place < bytes.size(); place += header.image_bytes()) {
      if (first > 0 && taken == first) return;
      preparation->resize(bytes.subspan(place, header.image_bytes()), resized, scratch);
      preparation->normalize(resized, predictor.next_image());
      ++taken;
      if (predictor.take()) predictor.flush(show);
    }
  });
  predictor.flush(show);
}

Json guesses_json(const std::vector<Guess>& guesses) {
  Json json = Json::array();
  for (const Guess& guess : guesses)
    json.push_back({{"class", guess.name}, {"probability", guess.probability}});
  return json;
}

std::string guesses_text(const std::vector<Guess>& guesses) {
  std::string text;
  for (const Guess& guess : guesses)
    text += fmt::format("  {} {:.1f} %", guess.name, 100 * guess.probability);
  return text;
}

}  // namespace

int predict(const PredictOptions& options, const ModelDescription& model, MakeNetwork make) {
  const std::filesystem::path weights = find_weights(options.weights, options.out, model);
  const std::unique_ptr<Network> network = make(options.threads);
  const LoadedWeights loaded = load_weights(weights, *network, options.match);
  for (const std::string& note : loaded.notes) fmt::print(stderr, "note: {}\n", note);
  if (!options.json)
    for (const std::string& pair : loaded.pairs) fmt::print("{}\n", pair);
  Predictor predictor(*network, options.top);
  Json json = {{"model", model.name}, {"weights", weights.string()}, {"predictions", Json::array()}};
  for (const std::filesystem::path& file : options.files) {
    if (!options.json) fmt::print("{}\n", file.string());
    predict_file(file, options.first, predictor, model,
                 [&](std::int64_t index, const std::vector<Guess>& guesses) {
                   if (options.json) {
                     json["predictions"].push_back(
                         {{"file", file.string()}, {"index", index}, {"classes", guesses_json(guesses)}});
                   } else {
                     fmt::print("{:>7}{}\n", index, guesses_text(guesses));
                   }
                 });
  }
  if (options.json) fmt::print("{}\n", json.dump(2));
  return 0;
}

}  // namespace cnn::program
