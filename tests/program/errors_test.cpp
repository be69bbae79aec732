// What the user does wrong: the exit code, the message, and that nothing is lost or half-written.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "child.hpp"
#include "formats/safetensors.hpp"
#include "levels.hpp"

namespace {

class Errors : public testing::Test {
 protected:
  void SetUp() override { write_levels(folder_ / "levels", 44, 9); }

  std::vector<std::string> train(const std::string& run) const {
    return {"train", "--data", folder_ / "levels", "--out", folder_ / run, "--epochs", "1", "--threads", "1"};
  }
  void train_well(const std::string& run, const Environment& environment = {}) {
    const Ended ended = run_child(TINY_PROGRAM, train(run), environment);
    ASSERT_EQ(ended.code, 0) << ended.errors;
  }
  static void expect_error(const Ended& ended, int code, const std::string& text) {
    EXPECT_EQ(ended.code, code) << ended.output << ended.errors;
    EXPECT_TRUE(ended.errors.starts_with("tiny: ")) << ended.errors;
    EXPECT_NE(ended.errors.find(text), std::string::npos) << ended.errors;
  }
  void expect_refused(std::vector<std::string> arguments, const std::string& text,
                      const Environment& environment = {}) {
    expect_error(run_child(TINY_PROGRAM, arguments, environment), 1, text);
  }
  static std::vector<std::string> with(std::vector<std::string> words, std::vector<std::string> more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  TemporaryFolder folder_;
};

TEST_F(Errors, WrongUsageIsCode2WithAHint) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"train", "--batch", "0"},
                                                    {"train", "--threads", "-1"},
                                                    {"train", "--epochs", "abc"},
                                                    {"train", "--nonsense"},
                                                    {"tarin"},
                                                    {},
                                                    {"predict"}}) {
    const Ended ended = run_child(TINY_PROGRAM, arguments);
    EXPECT_EQ(ended.code, 2) << ended.errors;
    EXPECT_TRUE(ended.errors.starts_with("tiny: ")) << ended.errors;
    EXPECT_EQ(std::count(ended.errors.begin(), ended.errors.end(), '\n'), 2) << ended.errors;
    EXPECT_EQ(ended.output, "");
  }
  EXPECT_EQ(run_child(TINY_PROGRAM, {"--help"}).code, 0);
  for (const char* command : {"train", "eval", "predict", "info", "bench", "profile"}) {
    const Ended help = run_child(TINY_PROGRAM, {command, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_TRUE(help.output.starts_with(std::string("usage: tiny ") + command)) << help.output;
  }
}

TEST_F(Errors, DataThatIsNotThereOrDamaged) {
  expect_refused({"train", "--data", folder_ / "nowhere", "--out", folder_ / "run"},
                 "the data's folder " + folder_ / "nowhere" + " does not exist; it was given with --data");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run")) << "an empty folder is left behind";
  expect_refused({"train", "--root", folder_ / "", "--data", folder_ / ""}, "train-images-idx3-ubyte");
  std::filesystem::resize_file(folder_ / "levels/train-images-idx3-ubyte", 100);
  expect_refused(train("run"), "train-images-idx3-ubyte");
  write_bytes(folder_ / "levels/train-images-idx3-ubyte",
              {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  expect_refused(train("run"), "train-images-idx3-ubyte");
  write_bytes(folder_ / "levels/train-images-idx3-ubyte", idx_images(40, 0));
  expect_refused(train("run"), "train-");
  auto labels = idx_labels(40, 0);
  labels.back() = 3;
  write_bytes(folder_ / "levels/train-labels-idx1-ubyte", labels);
  expect_refused(train("run"), "train-labels-idx1-ubyte");
}

TEST_F(Errors, FoldersThatCannotBeWritten) {
  std::ofstream(folder_ / "file") << "text";
  expect_refused({"train", "--data", folder_ / "levels", "--out", folder_ / "file"}, "cannot ");
  expect_refused({"train", "--data", folder_ / "levels", "--out", folder_ / "file/deeper"},
                 "cannot make the folder");
  expect_refused({"train", "--data", folder_ / "levels", "--out", "/proc/run"},
                 "cannot make the folder /proc/run: ");
  EXPECT_EQ(read_text(folder_ / "file"), "text");
}

TEST_F(Errors, AFullDiskLosesNothing) {
  train_well("run");
  const std::string last = read_text(folder_ / "run/last.safetensors"),
                    state = read_text(folder_ / "run/state.safetensors");
  for (const char* call : {"1", "3", "12", "30"}) {
    const Ended ended = run_child(TINY_PROGRAM, train("full"),
                                  {{"LD_PRELOAD", KILL_AT_CALL_LIBRARY}, {"FAIL_AT_CALL", call}});
    expect_error(ended, 1, "No space left on device");
  }
  // A finished run that is to go on while the disk is full.
  const Environment full = {{"LD_PRELOAD", KILL_AT_CALL_LIBRARY}, {"FAIL_AT_CALL", "1"}};
  expect_refused(with(train("run"), {"--overwrite"}), "No space left on device", full);
  EXPECT_EQ(read_text(folder_ / "run/last.safetensors"), last);
  EXPECT_EQ(read_text(folder_ / "run/state.safetensors"), state);
}

TEST_F(Errors, ARunIsNotOverwrittenUnasked) {
  train_well("run");
  const std::string last = read_text(folder_ / "run/last.safetensors");
  expect_refused(
      train("run"),
      "holds a run already. Go on with it ('tiny train --out " + folder_ / "run" +
          " --resume'), begin anew in its place (--overwrite), or name another folder (--out DIR)");
  EXPECT_EQ(read_text(folder_ / "run/last.safetensors"), last);
  EXPECT_EQ(run_child(TINY_PROGRAM, with(train("run"), {"--overwrite", "--seed", "3"})).code, 0);
  EXPECT_NE(read_text(folder_ / "run/last.safetensors"), last);
}

TEST_F(Errors, TwoTrainingsInOneFolder) {
  std::vector<std::string> words = train("run");
  words[6] = "1000000";
  Child first(TINY_PROGRAM, words);
  for (int wait = 0; wait < 1000 && !std::filesystem::exists(folder_ / "run/run.json"); ++wait) usleep(5000);
  expect_refused(train("run"), "another training is at work in");
  first.send(SIGKILL);
  first.end();
}

TEST_F(Errors, ResumeNeedsTheSameTraining) {
  expect_refused(with(train("run"), {"--resume"}), "holds no state to resume");
  train_well("run");
  expect_refused(with(train("run"), {"--resume", "--seed", "9"}), "seed: the run has 7, now 9");
  expect_refused(with(train("run"), {"--resume", "--batch", "4"}), "batch: the run has 8, now 4");
  expect_refused(with(train("run"), {"--resume"}),
                 "spec: the run has hash 0123456789abcdef, this program ffff", {{"TINY_SPEC_HASH", "ffff"}});
  write_levels(folder_ / "levels", 44, 12);
  expect_refused(with(train("run"), {"--resume"}), "its data is not the same\n  fingerprint: the run has ");
}

TEST_F(Errors, ADamagedOrForeignState) {
  train_well("run");
  const std::string file = folder_ / "run/state.safetensors", whole = read_text(file);
  const auto replace = [&](const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; };
  const std::string last = read_text(folder_ / "run/last.safetensors");
  replace(whole.substr(0, whole.size() / 2));
  expect_refused(with(train("run"), {"--resume"}), "state.safetensors: ");
  std::string flipped = whole;
  flipped[flipped.size() - 5] = static_cast<char>(flipped[flipped.size() - 5] ^ 1);
  replace(flipped);
  expect_refused(with(train("run"), {"--resume"}), "state.safetensors: ");
  replace(last);
  expect_refused(with(train("run"), {"--resume"}), "state.safetensors: ");
  replace("");
  expect_refused(with(train("run"), {"--resume"}), "state.safetensors: ");
  EXPECT_EQ(read_text(folder_ / "run/last.safetensors"), last);
}

TEST_F(Errors, WeightsThatAreNotTheModels) {
  train_well("run");
  expect_refused({"eval", "--out", folder_ / "none"},
                 "holds no weights. Train first ('tiny train'), or name a file with --weights");
  expect_refused({"eval", "--weights", folder_ / "none.safetensors"}, "none.safetensors");
  expect_refused({"eval", "--weights", folder_ / "levels/t10k-labels-idx1-ubyte"},
                 "t10k-labels-idx1-ubyte: ");
  const cnn::formats::SafetensorsFile good(folder_ / "run/last.safetensors");
  std::vector<cnn::formats::TensorView> tensors;
  for (const std::string& name : good.names()) tensors.push_back(good.tensor(name));
  cnn::formats::Metadata metadata = good.metadata();
  const auto write = [&](const std::string& name) {
    cnn::formats::write_safetensors(folder_ / name, metadata, tensors);
  };

  metadata["preparation"] = "1x4x4: normalize(mean=[0.5], std=[0.5])";
  write("prepared.safetensors");
  expect_refused({"eval", "--weights", folder_ / "prepared.safetensors"},
                 "\n  file:    1x4x4: normalize(mean=[0.5], std=[0.5])\n  program: 1x4x4: pixels/255");
  metadata.clear();
  write("foreign.safetensors");
  const Ended foreign = run_child(
      TINY_PROGRAM, {"eval", "--data", folder_ / "levels", "--weights", folder_ / "foreign.safetensors"});
  EXPECT_EQ(foreign.code, 0) << foreign.errors;
  EXPECT_NE(foreign.errors.find("was not written by a cnnc program"), std::string::npos) << foreign.errors;

  const float extra = 1;
  tensors.push_back({"extra", {1}, {&extra, 1}});
  std::erase_if(tensors, [](const auto& tensor) { return tensor.name == "out.bias"; });
  for (auto& tensor : tensors)
    if (tensor.name == "hidden.weight") tensor.extents = {16, 8};
  write("other.safetensors");
  expect_refused({"eval", "--weights", folder_ / "other.safetensors"},
                 "these are not weights of Tiny\n  missing:\n    out.bias 3\n  different:\n"
                 "    hidden.weight is F32 16x8, expected F32 8x16\n  not asked for:\n    extra 1\n");
}

TEST_F(Errors, FilesThatAreNoImages) {
  train_well("run");
  const auto predict = [&](const std::string& file) {
    return std::vector<std::string>{"predict", file, "--out", folder_ / "run"};
  };
  std::ofstream(folder_ / "photo.png", std::ios::binary) << "\x89PNG\r\n\x1a\n";
  expect_refused(predict(folder_ / "photo.png"),
                 "photo.png: is a PNG picture that is truncated or damaged (it ends early)");
  expect_refused(predict(folder_ / "levels/t10k-labels-idx1-ubyte"), "t10k-labels-idx1-ubyte: ");
  expect_refused(predict(folder_ / "none"), "none");
  std::vector<std::uint8_t> small = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 9, 9, 9, 9};
  write_bytes(folder_ / "small.idx", small);
  expect_refused(predict(folder_ / "small.idx"), "small.idx: its images are 1x2x2, but the network takes 1x4x4");
}

}  // namespace
