// `cnnc fmt` as a command: what it writes, lists, leaves alone, and its exit codes.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "parsed.hpp"

namespace cnnc::syntax {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = 0;
  std::string output;  // of both streams
};

class FmtCommand : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("cnnc_fmt_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    write("ugly.cnn", "cnn 1\nlet   a=1\n");
    write("fine.cnn", "cnn 1\n\nlet a = 1\n");
    write("wrong.cnn", "cnn 1\nlet a 1\n");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) { return read_file(folder_ / name); }

  Outcome run(const std::string& arguments) {
    const std::string command = "cd '" + folder_.string() + "' && '" CNNC "' fmt " + arguments + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    Outcome outcome;
    char buffer[4096];
    for (std::size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      outcome.output.append(buffer, count);
    outcome.code = WEXITSTATUS(pclose(pipe));
    return outcome;
  }

  fs::path folder_;
};

TEST_F(FmtCommand, WritesWhatChangesAndOnlyThat) {
  const auto before = fs::last_write_time(folder_ / "fine.cnn");
  const Outcome outcome = run("ugly.cnn fine.cnn");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(read("ugly.cnn"), "cnn 1\n\nlet a = 1\n");
  EXPECT_EQ(fs::last_write_time(folder_ / "fine.cnn"), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 3)
      << "nothing is left beside the files";
}

TEST_F(FmtCommand, CheckListsAndWritesNothing) {
  const Outcome outcome = run("--check ugly.cnn fine.cnn");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.output, "ugly.cnn\n");
  EXPECT_EQ(read("ugly.cnn"), "cnn 1\nlet   a=1\n");
  EXPECT_EQ(run("--check fine.cnn").code, 0);
}

TEST_F(FmtCommand, AFileWithErrorsIsLeftAloneAndTheOthersAreDone) {
  const Outcome outcome = run("wrong.cnn ugly.cnn");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.output,
            "error: expected '=', found '1'\n  --> wrong.cnn:2:7\n 2 | let a 1\n   |       ^\n");
  EXPECT_EQ(read("wrong.cnn"), "cnn 1\nlet a 1\n");
  EXPECT_EQ(read("ugly.cnn"), "cnn 1\n\nlet a = 1\n");
}

TEST_F(FmtCommand, StandardInput) {
  const Outcome outcome = run("- < ugly.cnn");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.output, "cnn 1\n\nlet a = 1\n");
  const Outcome checked = run("--check - < ugly.cnn");
  EXPECT_EQ(checked.code, 1);
  EXPECT_EQ(checked.output, "standard input\n");
}

TEST_F(FmtCommand, ALinkStaysALink) {
  fs::create_symlink("ugly.cnn", folder_ / "link.cnn");
  EXPECT_EQ(run("link.cnn").code, 0);
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.cnn"));
  EXPECT_EQ(read("ugly.cnn"), "cnn 1\n\nlet a = 1\n");
}

TEST_F(FmtCommand, UsageAndMissingFiles) {
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("--json fine.cnn").code, 2);
  const Outcome outcome = run("none.cnn");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.output, "error: 'none.cnn' can't be read: No such file or directory\n");
}

TEST_F(FmtCommand, KeepsThePermissionsOfAFile) {
  fs::permissions(folder_ / "ugly.cnn", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(run("ugly.cnn").code, 0);
  EXPECT_EQ(fs::status(folder_ / "ugly.cnn").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace
}  // namespace cnnc::syntax
