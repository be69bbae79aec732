// The real LeNet-5 program, killed and resumed: after an epoch, inside one, and while it writes its files. It
// must end with the bits of the run that was left alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include "child.hpp"
#include "idx_files.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace std::chrono_literals;

constexpr int kMostCalls = 200;
// tests/program kills a small network at every call; here each third will do, which meets every kind of call.
constexpr int kCallStride = 3;

std::vector<std::string> fields_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> fields;
  for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
  return fields;
}

// The table of metrics without its column of seconds.
std::string without_seconds(const std::string& table) {
  std::istringstream lines(table);
  std::string result;
  std::size_t seconds = 0;
  for (std::string line; std::getline(lines, line); result += "\n") {
    const std::vector<std::string> fields = fields_of(line);
    if (result.empty()) {
      const auto found = std::ranges::find(fields, "seconds");
      EXPECT_NE(found, fields.end()) << line;
      seconds = static_cast<std::size_t>(found - fields.begin());
    }
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (i != seconds) result += fields[i] + ",";
  }
  return result;
}

struct Outcome {
  std::string weights, metrics;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Pixels of 28 x 28 that tell little of their class, so that every step still moves the weights.
void write_images(const std::filesystem::path& folder, std::uint32_t train, std::uint32_t test) {
  using namespace cnn_tests;
  std::filesystem::create_directories(folder);
  const std::size_t pixels = 28 * 28;
  write_file(folder / "train-images-idx3-ubyte", idx_images(train, 28, 28, example_pixels(train, pixels)));
  write_file(folder / "train-labels-idx1-ubyte", idx_labels(train, example_labels(train, 10)));
  write_file(folder / "t10k-images-idx3-ubyte",
             idx_images(test, 28, 28, example_pixels(test, pixels, train)));
  write_file(folder / "t10k-labels-idx1-ubyte", idx_labels(test, example_labels(test, 10)));
}

class ResumeLeNet5 : public testing::Test {
 protected:
  std::vector<std::string> arguments(const std::string& run, const std::string& batch) const {
    return {"train",   "--data", folder_ / "images", "--out", folder_ / run, "--epochs", "2",
            "--batch", batch,    "--threads",        "1"};
  }
  std::vector<std::string> resuming(const std::string& run, const std::string& batch) const {
    std::vector<std::string> words = arguments(run, batch);
    if (std::filesystem::exists(folder_ / run / "state.safetensors")) words.push_back("--resume");
    return words;
  }
  Outcome outcome(const std::string& run) const {
    return {read_text(folder_ / run / "last.safetensors"),
            without_seconds(read_text(folder_ / run / "metrics.csv"))};
  }
  std::ptrdiff_t epochs_done(const std::string& run) const {
    const std::string metrics = read_text(folder_ / run / "metrics.csv");
    return std::max<std::ptrdiff_t>(0, std::count(metrics.begin(), metrics.end(), '\n') - 1);
  }
  Outcome reference(const std::string& batch) const {
    const Ended ended = run_child(LENET5_PROGRAM, arguments("reference", batch));
    EXPECT_EQ(ended.code, 0) << ended.errors;
    const Outcome result = outcome("reference");
    EXPECT_GT(result.weights.size(), 61706 * sizeof(float));
    EXPECT_EQ(epochs_done("reference"), 2);
    return result;
  }
  void finish(const std::string& run, const std::string& batch) const {
    const Ended ended = run_child(LENET5_PROGRAM, resuming(run, batch));
    ASSERT_EQ(ended.code, 0) << ended.output << ended.errors;
  }
  // Sends `signal` a moment after the first epoch is noted: 100 steps of the second lie before the program.
  Ended interrupted_in_second_epoch(const std::string& run, const std::string& batch, int signal) const {
    Child child(LENET5_PROGRAM, resuming(run, batch));
    for (int wait = 0; wait < 60000 && epochs_done(run) < 1; ++wait) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(5ms);
    child.send(signal);
    return child.end();
  }

  cnn_tests::TemporaryFolder folder_;
};

TEST_F(ResumeLeNet5, AfterAKillInsideAnEpoch) {
  write_images(folder_ / "images", 400, 20);
  const Outcome expected = reference("4");
  const Ended killed = interrupted_in_second_epoch("run", "4", SIGKILL);
  ASSERT_EQ(killed.signal, SIGKILL) << killed.output;
  EXPECT_EQ(epochs_done("run"), 1);
  EXPECT_NE(outcome("run"), expected);
  finish("run", "4");
  EXPECT_EQ(outcome("run"), expected);
}

TEST_F(ResumeLeNet5, AfterAStopInsideAnEpochAndAKillInWhatFollows) {
  write_images(folder_ / "images", 400, 20);
  const Outcome expected = reference("4");
  const Ended stopped = interrupted_in_second_epoch("run", "4", SIGTERM);
  ASSERT_EQ(stopped.code, 128 + SIGTERM) << stopped.output << stopped.errors;
  EXPECT_EQ(epochs_done("run"), 1);
  const Ended killed = interrupted_in_second_epoch("run", "4", SIGKILL);
  ASSERT_EQ(killed.signal, SIGKILL) << killed.output;
  finish("run", "4");
  EXPECT_EQ(outcome("run"), expected);
}

TEST_F(ResumeLeNet5, AfterKillsWhileItWritesItsFiles) {
  write_images(folder_ / "images", 128, 10);
  const Outcome expected = reference("64");
  int rounds = 0, between_epochs = 0;
  bool ended_alone = false;
  for (int call = 1; call < kMostCalls; call += kCallStride, ++rounds) {
    const Ended ended =
        run_child(LENET5_PROGRAM, arguments("run", "64"),
                  {{"LD_PRELOAD", KILL_AT_CALL_LIBRARY}, {"KILL_AT_CALL", std::to_string(call)}});
    ended_alone = ended.code == 0;
    if (ended_alone) break;
    ASSERT_EQ(ended.signal, SIGKILL) << ended.errors;
    between_epochs += std::filesystem::exists(folder_ / "run" / "state.safetensors");
    finish("run", "64");
    ASSERT_EQ(outcome("run"), expected) << "killed at call " << call;
    std::filesystem::remove_all(folder_ / "run");
  }
  EXPECT_GT(rounds, 8) << "the calls are not seen";
  EXPECT_TRUE(ended_alone) << "the run never came to its end";
  EXPECT_GT(between_epochs, 4);
}

}  // namespace
