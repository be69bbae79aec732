// `predict`: the most probable classes of pictures, and of images in IDX files.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cnn/data/idx.hpp"
#include "cnn/data/input_image.hpp"
#include "commands.hpp"
#include "describe.hpp"
#include "formats/input_file.hpp"
#include "formats/picture.hpp"
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
  Predictor(Network& network, std::vector<std::string> class_names, int top)
      : network_(network),
        model_(network.description()),
        class_names_(std::move(class_names)),
        top_(std::min(top, model_.outputs)) {
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
      const auto index = static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
      guesses.push_back({class_names_[index], scores[index]});
    }
    return guesses;
  }

  Network& network_;
  const ModelDescription& model_;
  std::vector<std::string> class_names_;
  int top_;
  std::size_t image_floats_ = 0;
  int count_ = 0;
  std::vector<float> images_;
};

/// What a file begins with tells pictures from IDX files, whatever their names are.
bool is_picture(const std::filesystem::path& path) {
  formats::InputFile file(path);
  std::array<std::uint8_t, 8> begin{};
  const std::size_t found = file.read(std::as_writable_bytes(std::span(begin)));
  return formats::picture_kind(std::span(begin).first(found)) != formats::PictureKind::kNone;
}

/// Images of an IDX file, the first `most` of them, or all where it is 0. `use` gets each one's place and
/// guesses.
template <class Use>
void predict_idx(const std::filesystem::path& path, std::int64_t most, Predictor& predictor,
                 const Preparation& preparation, const ModelDescription& model, Use&& use) {
  std::int64_t index = 0, taken = 0;
  const auto show = [&](const std::vector<Guess>& guesses) { use(index++, guesses); };
  Workspace workspace;
  read_idx_images(path, [&](const IdxImages& header, std::uint32_t, std::span<const std::uint8_t> bytes) {
    const ImageShape shape{1, header.height, header.width};
    require_input_shape(path, shape, preparation, model.input);
    for (std::size_t place = 0; place < bytes.size(); place += header.image_bytes()) {
      if (most > 0 && taken == most) return;
      workspace.image.assign(shape, bytes.subspan(place, header.image_bytes()));
      preparation.apply(workspace);
      preparation.normalize(workspace.image.bytes, predictor.next_image());
      ++taken;
      if (predictor.take()) predictor.flush(show);
    }
  });
  predictor.flush(show);
}

/// Pictures that follow one another are put into batches together. `use` gets each file with its guesses.
template <class Use>
void predict_pictures(std::span<const std::filesystem::path> files, Predictor& predictor,
                      const Preparation& preparation, const ModelDescription& model, Use&& use) {
  const int channels = source_channels(model.data, model.input);
  Workspace workspace;
  std::size_t shown = 0;
  const auto show = [&](const std::vector<Guess>& guesses) { use(files[shown++], guesses); };
  for (const std::filesystem::path& file : files) {
    read_input_picture(file, channels, preparation, model.input, workspace);
    preparation.normalize(workspace.image.bytes, predictor.next_image());
    if (predictor.take()) predictor.flush(show);
  }
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
  network->only_predict();
  Predictor predictor(*network, loaded.class_names, options.top);
  const Preparation preparation = make_preparation(model.data, std::string(model.spec), model.input);
  Json json = {{"model", model.name}, {"weights", weights.string()}, {"predictions", Json::array()}};
  const auto add = [&](const std::filesystem::path& file, std::int64_t index,
                       const std::vector<Guess>& guesses) {
    json["predictions"].push_back(
        {{"file", file.string()}, {"index", index}, {"classes", guesses_json(guesses)}});
  };
  const std::span<const std::filesystem::path> files = options.files;
  for (std::size_t begin = 0; begin < files.size();) {
    const auto others = files.subspan(begin);
    const auto pictures =
        static_cast<std::size_t>(std::find_if_not(others.begin(), others.end(), is_picture) - others.begin());
    predict_pictures(others.first(pictures), predictor, preparation, model,
                     [&](const std::filesystem::path& file, const std::vector<Guess>& guesses) {
                       if (options.json) return add(file, 0, guesses);
                       fmt::print("{}{}\n", file.string(), guesses_text(guesses));
                     });
    begin += pictures;
    if (begin == files.size()) break;
    const std::filesystem::path& file = files[begin++];
    if (!options.json) fmt::print("{}\n", file.string());
    predict_idx(file, options.first, predictor, preparation, model,
                [&](std::int64_t index, const std::vector<Guess>& guesses) {
                  if (options.json) return add(file, index, guesses);
                  fmt::print("{:>7}{}\n", index, guesses_text(guesses));
                });
  }
  // A file's name may be anything but text.
  if (options.json) fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
  return 0;
}

}  // namespace cnn::program
