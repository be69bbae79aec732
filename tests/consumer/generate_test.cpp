// What `cnnc generate` tells build systems: depfiles that Make and Ninja read, stamps, names, files that keep
// their age.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "driver/command_line.hpp"
#include "driver/commands.hpp"
#include "driver/generate.hpp"

namespace {

namespace fs = std::filesystem;
using cnnc::driver::depfile_text;

constexpr const char* kOneModel = "cnn 1\nmodel Net {\n  input 1x4x4\n  flatten\n  dense(2)\n  softmax\n}\n";
constexpr const char* kTwoModels =
    "cnn 1\nmodel A {\n  input 1x2x2\n  flatten\n  dense(2)\n  softmax\n}\nmodel B {\n  input 1x2x2\n  "
    "flatten\n  dense(3)\n  softmax\n}\n";
constexpr const char* kCollision =
    "cnn 1\nmodel A {\n  input 1x2x2\n  flatten\n  dense(2)\n  softmax\n}\nmodel A_main {\n  input 1x2x2\n  "
    "flatten\n  dense(3)\n  softmax\n}\n";

std::string read(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

class Generate : public testing::Test {
 protected:
  Generate() {
    std::string name = (fs::temp_directory_path() / "cnnc generate XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the test's files");
    folder_ = name;
  }
  ~Generate() override {
    std::error_code error;
    fs::remove_all(folder_, error);
  }

  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  // The exit code of `cnnc generate SPEC --out FOLDER/out OPTIONS`; what it says in errors_.
  int generate(const fs::path& spec, std::vector<std::string> options = {}) {
    std::vector<std::string> words = {"cnnc", "generate", spec.string(), "--out", (folder_ / "out").string()};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    testing::internal::CaptureStderr();
    const int code = cnnc::driver::run_command(
        cnnc::driver::parse_command_line(static_cast<int>(pointers.size()), pointers.data()));
    errors_ = testing::internal::GetCapturedStderr();
    return code;
  }

  std::string out(const std::string& name) const { return (folder_ / "out" / name).string(); }

  fs::path folder_;
  std::string errors_;
};

TEST(Depfile, EscapesAsGccDoes) {
  const std::string targets[] = {"/a b/net.stamp", "/a b/net.cpp"};
  const std::string files[] = {"net.cnn", "dollar$ and #hash", "back\\slash", "before\\ blank", "tab\there"};
  EXPECT_EQ(depfile_text(targets, files),
            "/a\\ b/net.stamp /a\\ b/net.cpp: \\\n"
            "  net.cnn \\\n"
            "  dollar$$\\ and\\ \\#hash \\\n"
            "  back\\slash \\\n"
            "  before\\\\\\ blank \\\n"
            "  tab\\\there\n");
}

TEST_F(Generate, NamesFilesAfterTheSpec) {
  ASSERT_EQ(generate(write("one.cnn", kOneModel)), 0) << errors_;
  EXPECT_TRUE(fs::exists(out("one.hpp")) && fs::exists(out("one.cpp")) && fs::exists(out("one_main.cpp")));
  ASSERT_EQ(generate(write("two.cnn", kTwoModels)), 0) << errors_;
  EXPECT_TRUE(fs::exists(out("two_A.hpp")) && fs::exists(out("two_B_main.cpp")));
  ASSERT_EQ(generate(write("choice.cnn", kTwoModels), {"--model", "B"}), 0) << errors_;
  EXPECT_TRUE(fs::exists(out("choice_B.cpp")) && !fs::exists(out("choice_A.cpp")));
}

TEST_F(Generate, NamesFilesAsTheBuildWishes) {
  ASSERT_EQ(generate(write("two.cnn", kTwoModels), {"--model", "B", "--name", "my-net"}), 0) << errors_;
  EXPECT_NE(read(out("my-net.cpp")).find("#include \"my-net.hpp\""), std::string::npos);
  EXPECT_NE(read(out("my-net_main.cpp")).find("models::B"), std::string::npos);
  EXPECT_EQ(generate(folder_ / "two.cnn", {"--name", "net"}), 1);
  EXPECT_EQ(errors_, "error: " + (folder_ / "two.cnn").string() +
                         " has several programs, and --name net names one; choose it with --model: A B\n"
                         "  help: in CMake: cnn_add_model(net SPEC ... MODEL A)\n");
  for (const char* name : {"", "a/b", ".hidden", "-x", "blank here", "quote\""}) {
    EXPECT_THROW(generate(folder_ / "two.cnn", {std::string("--name=") + name}), cnnc::driver::UsageError)
        << name;
    testing::internal::GetCapturedStderr();
  }
}

TEST_F(Generate, RefusesTwoProgramsWithTheSameFile) {
  EXPECT_EQ(generate(write("net.cnn", kCollision)), 1);
  EXPECT_EQ(errors_, "error: two programs of " + (folder_ / "net.cnn").string() + " would both write '" +
                         out("net_A_main.cpp") + "'; give one of the models another name\n");
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Generate, TouchesTheStampAndOnlyWhatChanged) {
  const fs::path spec = write("net #1.cnn", kOneModel);
  const std::vector<std::string> options = {"--name",         "net",       "--stamp",
                                            out("net.stamp"), "--depfile", out("net.d")};
  ASSERT_EQ(generate(spec, options), 0) << errors_;
  const std::string files[] = {out("net.stamp"), out("net.hpp"), out("net.cpp"), out("net_main.cpp")};
  const std::string sources[] = {spec.string()};
  EXPECT_EQ(read(out("net.d")), depfile_text(files, sources));
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const std::string& file : files) fs::last_write_time(file, old);

  ASSERT_EQ(generate(spec, options), 0) << errors_;
  EXPECT_GT(fs::last_write_time(files[0]), old);
  for (int file = 1; file < 4; ++file) EXPECT_EQ(fs::last_write_time(files[file]), old) << files[file];

  std::string wider = kOneModel;
  wider.replace(wider.find("dense(2)"), 8, "dense(3)");
  write("net #1.cnn", wider);
  ASSERT_EQ(generate(spec, options), 0) << errors_;
  EXPECT_GT(fs::last_write_time(files[1]), old);
  EXPECT_GT(fs::last_write_time(files[2]), old);
}

TEST_F(Generate, SaysWhatCannotBeWritten) {
  const fs::path spec = write("net.cnn", kOneModel);
  fs::create_directories(folder_ / "out/net.cpp");
  EXPECT_EQ(generate(spec), 1);
  EXPECT_EQ(errors_, "error: '" + out("net.cpp") + "' can't be written: Is a directory\n");
}

}  // namespace
