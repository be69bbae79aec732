// A state comes back as it was written, and nothing else is taken for one.
#include "formats/run_state.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "formats/format_error.hpp"
#include "temporary_folder.hpp"

namespace cnn::formats {
namespace {

using cnn_tests::error_of;
using cnn_tests::read_file;
using cnn_tests::TemporaryFolder;
using cnn_tests::write_file;

const std::vector<float> kWeights{1, 2, 3, 4}, kMoments{0.5f, -0.25f};
constexpr std::string_view kText = R"({"epoch":3,"name":"größe","steps":[1,2]})";

void write_example(const std::filesystem::path& file) {
  write_run_state(file, kText,
                  std::vector<TensorView>{{"weights/w", {2, 2}, kWeights}, {"moment1/w", {2}, kMoments}});
}

bool is_example(const RunState& state) {
  const TensorView weights = state.tensors.tensor("weights/w"), moments = state.tensors.tensor("moment1/w");
  return state.text == kText && state.tensors.tensors().size() == 2 &&
         weights.extents == std::vector<std::int64_t>{2, 2} &&
         moments.extents == std::vector<std::int64_t>{2} && std::ranges::equal(weights.values, kWeights) &&
         std::ranges::equal(moments.values, kMoments);
}

TEST(RunState, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  write_example(folder / "state");
  EXPECT_TRUE(is_example(read_run_state(folder / "state")));
}

TEST(RunState, TakesNothingElseForAState) {
  const TemporaryFolder folder;
  const auto error = [&] {
    std::string text = error_of<FormatError>([&] { read_run_state(folder / "state"); });
    return text.substr(std::min(text.size(), (folder / "state: ").string().size()));
  };
  write_safetensors(folder / "state", {{"format", "pt"}}, std::vector<TensorView>{{"w", {4}, kWeights}});
  EXPECT_EQ(error(), "is not the state of a training; such a file is written by `train --out`");

  const Metadata newer{{"format", "cnn-training-state"}, {"format_version", "2"}};
  write_safetensors(folder / "state", newer, {});
  EXPECT_EQ(error(), "is a training state of version 2; this program reads version 1");

  const Metadata bare{{"format", "cnn-training-state"}, {"format_version", "1"}, {"state", "{}"}};
  write_safetensors(folder / "state", bare, {});
  EXPECT_EQ(error(), "is damaged: its metadata has no 'checksum'");

  write_example(folder / "state");
  std::string bytes = read_file(folder / "state");
  bytes.back() ^= 1;
  write_file(folder / "state", bytes);
  EXPECT_EQ(error().substr(0, 27), "is damaged: its checksum is");
}

TEST(RunState, SeesEveryFlippedBitThatMatters) {
  const TemporaryFolder folder;
  write_example(folder / "state");
  const std::string bytes = read_file(folder / "state");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    write_file(folder / "cut", bytes.substr(0, length));
    EXPECT_THROW(read_run_state(folder / "cut"), FormatError) << "cut to " << length;
  }
  int refused = 0;
  for (std::size_t place = 0; place < bytes.size() * 8; ++place) {
    std::string damaged = bytes;
    damaged[place / 8] ^= static_cast<char>(1 << place % 8);
    write_file(folder / "flipped", damaged);
    try {
      // What is still read must be the same: a flip in a space of the header's padding, say.
      EXPECT_TRUE(is_example(read_run_state(folder / "flipped"))) << "bit " << place;
    } catch (const FormatError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(bytes.size()) * 7);
}

}  // namespace
}  // namespace cnn::formats
