// A run that is killed at any moment and resumed equals the run that was not.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <sstream>
#include <thread>

#include "child.hpp"
#include "levels.hpp"

namespace {

constexpr int kMostRounds = 400;

/// What must be the same: weights, best weights, and the table of metrics but for its seconds.
struct Outcome {
  std::string last, best, metrics;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::string without_seconds(const std::string& table) {
  std::istringstream lines(table);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; std::getline(fields, field, ','); ++i)
      if (i != 7) result += field + ",";
    result += "\n";
  }
  return result;
}

Outcome outcome(const std::string& run) {
  return {read_text(run + "/last.safetensors"), read_text(run + "/best.safetensors"),
          without_seconds(read_text(run + "/metrics.csv"))};
}

class Resume : public testing::Test {
 protected:
  void SetUp() override {
    write_levels(folder_ / "levels", 44, 9);
  }  // 33 to train on: 5 steps an epoch, the last of 1

  std::vector<std::string> arguments(const std::string& run) const {
    return {"train", "--data", folder_ / "levels", "--out", folder_ / run, "--threads", "1"};
  }
  std::vector<std::string> resuming(const std::string& run) const {
    std::vector<std::string> words = arguments(run);
    words.push_back(std::filesystem::exists(folder_ / run + "/state.safetensors") ? "--resume" : "--quiet");
    return words;
  }
  Outcome reference() {
    const Ended ended = run_child(TINY_PROGRAM, arguments("reference"));
    EXPECT_EQ(ended.code, 0) << ended.errors;
    const Outcome result = outcome(folder_ / "reference");
    EXPECT_FALSE(result.last.empty() || result.best.empty());
    EXPECT_EQ(std::count(result.metrics.begin(), result.metrics.end(), '\n'), 5) << result.metrics;
    return result;
  }
  /// How long a run takes that nobody disturbs: moments to kill at lie within it, however quick the machine.
  std::chrono::microseconds least_time_of_a_run() {
    auto least = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 5; ++i) {
      const auto start = std::chrono::steady_clock::now();
      EXPECT_EQ(run_child(TINY_PROGRAM, arguments("timed" + std::to_string(i))).code, 0);
      least = std::min(least, std::chrono::steady_clock::now() - start);
    }
    return std::chrono::duration_cast<std::chrono::microseconds>(least);
  }
  /// Resumes until the run is finished.
  void finish(const std::string& run) {
    const Ended ended = run_child(TINY_PROGRAM, resuming(run));
    ASSERT_EQ(ended.code, 0) << ended.output << ended.errors;
  }

  TemporaryFolder folder_;
};

TEST_F(Resume, AfterAKillAtEveryCallThatChangesAFile) {
  const Outcome expected = reference();
  int rounds = 0, killed_with_state = 0;
  for (int call = 1; call < kMostRounds; ++call, ++rounds) {
    const std::string run = "killed" + std::to_string(call);
    const Ended ended =
        run_child(TINY_PROGRAM, arguments(run),
                  {{"LD_PRELOAD", KILL_AT_CALL_LIBRARY}, {"KILL_AT_CALL", std::to_string(call)}});
    if (ended.code == 0) break;
    ASSERT_EQ(ended.signal, SIGKILL) << ended.errors;
    killed_with_state += std::filesystem::exists(folder_ / run + "/state.safetensors");
    finish(run);
    ASSERT_EQ(outcome(folder_ / run), expected) << "killed at call " << call;
    std::filesystem::remove_all(folder_ / run);
  }
  EXPECT_GT(rounds, 30) << "the calls are not seen";
  EXPECT_LT(rounds, kMostRounds - 1) << "the run never came to its end";
  EXPECT_GT(killed_with_state, 20);
}

TEST_F(Resume, AfterKillsAtRandomMoments) {
  const Outcome expected = reference();
  const std::chrono::microseconds whole = least_time_of_a_run();
  std::mt19937 random(20);
  int kills = 0, rounds = 0;
  for (int run_number = 0; run_number < 12; ++run_number) {
    const std::string run = "random" + std::to_string(run_number);
    for (int attempt = 0; attempt < 6; ++attempt) {
      Child child(TINY_PROGRAM, resuming(run));
      std::this_thread::sleep_for(whole * std::uniform_real_distribution(0.05, 1.0)(random));
      child.send(SIGKILL);
      const Ended ended = child.end();
      ++rounds;
      kills += ended.signal == SIGKILL;
      if (ended.code >= 0) break;
    }
    finish(run);
    ASSERT_EQ(outcome(folder_ / run), expected) << run;
  }
  EXPECT_GT(kills, rounds / 4);
}

TEST_F(Resume, OnAnotherNumberOfThreads) {
  const Outcome expected = reference();
  const Ended ended = run_child(TINY_PROGRAM, arguments("threads"),
                                {{"LD_PRELOAD", KILL_AT_CALL_LIBRARY}, {"KILL_AT_CALL", "40"}});
  ASSERT_EQ(ended.signal, SIGKILL);
  std::vector<std::string> words = resuming("threads");
  words[6] = "3";
  EXPECT_EQ(run_child(TINY_PROGRAM, words).code, 0);
  EXPECT_EQ(outcome(folder_ / "threads"), expected);
}

class Interrupted : public Resume, public testing::WithParamInterface<int> {};

TEST_P(Interrupted, FinishesTheStepSavesAndGoesOn) {
  std::vector<std::string> words = arguments("run");
  words.insert(words.end(), {"--epochs", "3000"});  // more than it gets to
  Ended ended;
  {
    Child child(TINY_PROGRAM, words);
    for (int wait = 0; wait < 500 && !std::filesystem::exists(folder_ / "run/metrics.csv"); ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    child.send(GetParam());
    ended = child.end();
  }
  EXPECT_EQ(ended.code, 128 + GetParam()) << ended.errors;
  EXPECT_NE(ended.errors.find("go on with: tiny train --out " + folder_ / "run" + " --resume"),
            std::string::npos)
      << ended.errors;

  // The run that is not interrupted, up to the epoch that the interrupted one is in.
  Child child(TINY_PROGRAM, resuming("run"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  child.send(GetParam());
  EXPECT_EQ(child.end().code, 128 + GetParam());
  words[4] = folder_ / "whole";
  Child whole(TINY_PROGRAM, words);
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  const std::string interrupted = without_seconds(read_text(folder_ / "run/metrics.csv"));
  for (int wait = 0; wait < 2000 && lines(read_text(folder_ / "whole/metrics.csv")) <= lines(interrupted);
       ++wait)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  whole.send(SIGKILL);
  whole.end();
  EXPECT_GT(lines(interrupted), 1);
  EXPECT_TRUE(without_seconds(read_text(folder_ / "whole/metrics.csv")).starts_with(interrupted));
}

INSTANTIATE_TEST_SUITE_P(Signals, Interrupted, testing::Values(SIGINT, SIGTERM));

TEST_F(Resume, AFinishedRunHasNothingLeftToDo) {
  std::vector<std::string> words = arguments("raised");
  words.insert(words.end(), {"--epochs", "2"});
  ASSERT_EQ(run_child(TINY_PROGRAM, words).code, 0);
  const std::string metrics = without_seconds(read_text(folder_ / "raised/metrics.csv"));
  const Ended nothing = run_child(TINY_PROGRAM, resuming("raised"));
  EXPECT_EQ(nothing.code, 0);
  EXPECT_NE(nothing.output.find("there is nothing left to do"), std::string::npos) << nothing.output;
  EXPECT_EQ(without_seconds(read_text(folder_ / "raised/metrics.csv")), metrics);
  words.back() = "3";
  words.push_back("--resume");
  const Ended over = run_child(TINY_PROGRAM, words);  // the first phase is over and keeps its epochs
  EXPECT_EQ(over.code, 1);
  EXPECT_NE(over.errors.find("epochs of phase head: the run has 2, now 3 (that phase is over)"),
            std::string::npos)
      << over.errors;
}

TEST_F(Resume, MoreEpochsEqualARunThatHadThemFromTheStart) {
  const Environment one_phase = {{"TINY_ONE_PHASE", "1"}};
  std::vector<std::string> words = arguments("raised");
  ASSERT_EQ(run_child(TINY_PROGRAM, words, one_phase).code, 0);
  words.insert(words.end(), {"--epochs", "5", "--resume"});
  const Ended raised = run_child(TINY_PROGRAM, words, one_phase);
  ASSERT_EQ(raised.code, 0) << raised.errors;
  words = arguments("whole");
  words.insert(words.end(), {"--epochs", "5"});
  ASSERT_EQ(run_child(TINY_PROGRAM, words, one_phase).code, 0);
  EXPECT_EQ(outcome(folder_ / "raised"), outcome(folder_ / "whole"));
  words = arguments("raised");
  words.insert(words.end(), {"--epochs", "4", "--resume"});
  const Ended lowered = run_child(TINY_PROGRAM, words, one_phase);
  EXPECT_EQ(lowered.code, 1);
  EXPECT_NE(lowered.errors.find("epochs of phase main: the run has 5, now 4 (they can only be raised)"),
            std::string::npos)
      << lowered.errors;
}

}  // namespace
