// What the command line accepts, and what it says to what it does not.
#include "cnn/program/command_line.hpp"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "cnn/program/errors.hpp"
#include "tiny_network.hpp"

namespace {

using namespace cnn::program;

Options parse(const std::vector<std::string>& arguments) {
  return parse_command_line(arguments, tiny_description());
}

/// Message and hint of the usage error that `arguments` lead to.
std::string refusal(const std::vector<std::string>& arguments) {
  try {
    parse(arguments);
  } catch (const UsageError& error) {
    return std::string(error.what()) + "\n" + error.hint;
  }
  return "accepted";
}

TEST(CommandLine, TrainTakesItsOptions) {
  const auto options = std::get<TrainOptions>(
      parse({"train", "--data", "d", "--epochs=3", "--batch", "4", "--seed", "18446744073709551615",
             "--threads", "2", "--out", "o", "--resume", "--quiet", "--root", "r"}));
  EXPECT_EQ(options.place.data, "d");
  EXPECT_EQ(options.place.root, "r");
  EXPECT_EQ(options.epochs, 3);
  EXPECT_EQ(options.batch, 4);
  EXPECT_EQ(options.seed, 18446744073709551615u);
  EXPECT_EQ(options.threads, 2);
  EXPECT_EQ(options.out, "o");
  EXPECT_TRUE(options.resume && options.quiet && !options.overwrite);
}

TEST(CommandLine, DefaultsAreThePlans) {
  const auto options = std::get<TrainOptions>(parse({"train"}));
  EXPECT_FALSE(options.epochs || options.batch || options.seed || options.place.data);
  EXPECT_EQ(options.out, "tiny-run");
  EXPECT_GE(options.threads, 1);
  EXPECT_EQ(std::get<EvaluateOptions>(parse({"eval"})).batch, kTinyBatch);
}

TEST(CommandLine, PredictTakesFilesBetweenOptions) {
  const auto options = std::get<PredictOptions>(parse({"predict", "a", "--first", "3", "b"}));
  EXPECT_EQ(options.files, (std::vector<std::filesystem::path>{"a", "b"}));
  EXPECT_EQ(options.first, 3);
}

TEST(CommandLine, HelpComesBeforeErrors) {
  EXPECT_NE(std::get<HelpOptions>(parse({"train", "--help"})).text.find("--epochs N"), std::string::npos);
  EXPECT_NE(std::get<HelpOptions>(parse({"--help"})).text.find("predict"), std::string::npos);
}

TEST(CommandLine, ProfileWatchesTheFirstPhaseUnlessToldOtherwise) {
  const auto usual = std::get<ProfileOptions>(parse({"profile"}));
  EXPECT_EQ(usual.phase, 0);
  EXPECT_EQ(usual.batch, kTinyBatch);
  EXPECT_FALSE(usual.layers || usual.json);
  EXPECT_EQ(std::get<ProfileOptions>(parse({"profile", "--phase", "all"})).phase, 1);
  EXPECT_EQ(std::get<ProfileOptions>(parse({"profile", "--predict", "--layers"})).phase, std::nullopt);
}

struct Refused {
  std::vector<std::string> arguments;
  const char* text;

  friend void PrintTo(const Refused& refused, std::ostream* out) {
    *out << fmt::format("'{}'", fmt::join(refused.arguments, " "));
  }
};

class CommandLineRefuses : public testing::TestWithParam<Refused> {};

TEST_P(CommandLineRefuses, WithAReason) {
  EXPECT_EQ(refusal(GetParam().arguments), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    All, CommandLineRefuses,
    testing::Values(
        Refused{{}, "a command is missing\nthe commands are train, eval, predict, info, bench and profile"},
        Refused{{"tain"},
                "unknown command 'tain'\ndid you mean train? the commands are train, eval, predict, info, "
                "bench and profile"},
        Refused{{"frobnicate"},
                "unknown command 'frobnicate'\nthe commands are train, eval, predict, info, bench and profile"},
        Refused{
            {"train", "--batch", "0"},
            "option '--batch' takes a whole number from 1, not '0'\n'tiny train --help' lists the options"},
        Refused{{"train", "--threads", "-1"},
                "option '--threads' takes a whole number from 1 to 1024, not '-1'\n'tiny train --help' lists "
                "the options"},
        Refused{{"train", "--epochs", "abc"},
                "option '--epochs' takes a whole number from 1 to 1000000, not 'abc'\n'tiny train --help' "
                "lists the options"},
        Refused{{"train", "--epochs", "1.5"},
                "option '--epochs' takes a whole number from 1 to 1000000, not '1.5'\n'tiny train --help' "
                "lists the options"},
        Refused{{"train", "--epochs", ""},
                "option '--epochs' takes a whole number from 1 to 1000000, not ''\n'tiny train --help' lists "
                "the options"},
        Refused{{"train", "--seed", "99999999999999999999"},
                "option '--seed' takes a whole number from 0, not '99999999999999999999'\n'tiny train "
                "--help' lists the options"},
        Refused{{"train", "--batch", "9"},
                "option '--batch' is 9, and this program is planned for at most 8\n"
                "plan it anew: cnnc generate tiny.cnn --set batch=9"},
        Refused{{"train", "--epoch", "3"},
                "unknown option '--epoch'\ndid you mean --epochs? 'tiny train --help' lists the options"},
        Refused{{"train", "-x"}, "unknown option '-x'\n'tiny train --help' lists the options"},
        Refused{{"train", "--data"}, "option '--data' needs a value\n'tiny train --help' lists the options"},
        Refused{
            {"train", "--data", ""},
            "option '--data' needs a path and was given an empty one\n'tiny train --help' lists the options"},
        Refused{{"train", "--quiet=yes"},
                "option '--quiet' takes no value\n'tiny train --help' lists the options"},
        Refused{{"train", "--seed", "1", "--seed", "2"},
                "option '--seed' is given twice\n'tiny train --help' lists the options"},
        Refused{{"train", "more"},
                "'train' takes no file or other argument, and was given 'more'\n'tiny train --help' lists "
                "the options"},
        Refused{{"train", "--resume", "--overwrite"},
                "options '--resume' and '--overwrite' contradict each other\n'tiny train --help' lists the "
                "options"},
        Refused{{"eval", "--part", "all"},
                "option '--part' takes test, val or train, not 'all'\n'tiny eval --help' lists the options"},
        Refused{{"profile", "--phase", "tail"},
                "there is no phase 'tail'; there are: head, all\n'tiny profile --help' lists the options"},
        Refused{{"profile", "--phase", "head", "--predict"},
                "options '--phase' and '--predict' contradict each other\n'tiny profile --help' lists the "
                "options"},
        Refused{{"profile", "--steps", "0"},
                "option '--steps' takes a whole number from 1 to 1000000, not '0'\n'tiny profile --help' "
                "lists the options"},
        Refused{{"predict"},
                "'predict' needs at least one file of images\n'tiny predict --help' lists the options"}));

}  // namespace
