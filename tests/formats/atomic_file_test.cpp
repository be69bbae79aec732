// Old or new contents, whatever happens: errors, other writers, and being killed at any moment.
#include "formats/atomic_file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "formats/format_error.hpp"
#include "temporary_folder.hpp"

namespace cnn::formats {
namespace {

using cnn_tests::error_of;
using cnn_tests::files_in;
using cnn_tests::read_file;
using cnn_tests::TemporaryFolder;
using cnn_tests::write_file;

TEST(AtomicFile, WritesANewFileAndReplacesAnOldOne) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "first");
  EXPECT_EQ(read_file(folder / "file"), "first");
  write_file_atomically(folder / "file", "2nd");
  EXPECT_EQ(read_file(folder / "file"), "2nd");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, WritesIntoTheCurrentFolder) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file_atomically("bare_name", "text");
  std::filesystem::current_path(before);
  EXPECT_EQ(read_file(folder / "bare_name"), "text");
}

TEST(AtomicFile, LeavesTheOldFileWhenNotCommitted) {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  {
    AtomicFile file(folder / "file");
    file.write("new");
    EXPECT_EQ(read_file(folder / "file"), "old");
  }
  EXPECT_EQ(read_file(folder / "file"), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, OverwritesAPartialFileThatAKilledProcessLeft) {
  const TemporaryFolder folder;
  write_file(folder / ".file.partial", "much longer than what comes now");
  write_file_atomically(folder / "file", "new");
  EXPECT_EQ(read_file(folder / "file"), "new");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, RefusesASecondWriterAtATime) {
  const TemporaryFolder folder;
  AtomicFile first(folder / "file");
  first.write("first");
  EXPECT_EQ(error_of<FormatError>([&] { AtomicFile second(folder / "file"); }),
            (folder / "file").string() + ": another process is writing it");
  first.commit();
  EXPECT_EQ(read_file(folder / "file"), "first");
}

TEST(AtomicFile, SaysWhyItCannotWrite) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of<FormatError>([&] { write_file_atomically(folder / "absent/file", "x"); }),
            (folder / "absent/file").string() + ": can't be written: No such file or directory");
  std::filesystem::create_directory(folder / "taken");
  EXPECT_EQ(error_of<FormatError>([&] { write_file_atomically(folder / "taken", "x"); }),
            (folder / "taken").string() + ": can't be written: it is a directory");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

/// A limit on the size of files stands for a full disk: write() fails half-way just so.
TEST(AtomicFile, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string text =
      error_of<FormatError>([&] { write_file_atomically(folder / "file", std::string(100'000, 'x')); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(text, (folder / "file").string() + ": can't be written: File too large");
  EXPECT_EQ(read_file(folder / "file"), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

/// Writes versions one after the other until it is killed.
[[noreturn]] void write_for_ever(const std::filesystem::path& file, std::size_t bytes) {
  const std::string versions[] = {std::string(bytes, 'a'), std::string(bytes + 1, 'b')};
  for (int i = 0;; ++i) write_file_atomically(file, versions[i % 2]);
}

TEST(AtomicFile, SurvivesBeingKilledAtAnyMoment) {
  const TemporaryFolder folder;
  const auto file = folder / "file";
  constexpr std::size_t kBytes = 200'000;
  write_file(file, std::string(kBytes, 'a'));
  std::mt19937 random(1);
  int killed_while_writing = 0;
  for (int round = 0; round < 60; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_for_ever(file, kBytes);
    usleep(random() % 8000);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    killed_while_writing += std::filesystem::exists(folder / ".file.partial");
    const std::string bytes = read_file(file);
    ASSERT_FALSE(bytes.empty());
    ASSERT_EQ(bytes, std::string(bytes[0] == 'a' ? kBytes : kBytes + 1, bytes[0]));
  }
  EXPECT_GT(killed_while_writing, 0) << "no round came in the middle of a file";
  write_file_atomically(file, "the end");
  EXPECT_EQ(read_file(file), "the end");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

}  // namespace
}  // namespace cnn::formats
