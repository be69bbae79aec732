// Files that a spec imports: each is read once, in an order in which what is imported comes first.
#include "syntax/modules.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace cnnc::syntax {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("cnnc-modules-" + std::to_string(getpid()))) { fs::create_directories(path_ / "sub"); }
  ~Folder() { fs::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << "cnn 1\n" << text; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

TEST(Modules, WhatIsImportedStandsFirstAndOnce) {
  const Folder folder;
  folder.write("a.cnn", "import B from \"sub/b.cnn\"\nimport C from \"c.cnn\"\n");
  folder.write("sub/b.cnn", "import C from \"../c.cnn\"\nblock B { C }\n");
  folder.write("c.cnn", "block C { relu }\n");
  Sources sources;
  Diagnostics diagnostics;
  const auto modules = load(folder / "a.cnn", sources, diagnostics);
  ASSERT_TRUE(modules) << render(diagnostics, sources);
  ASSERT_EQ(modules->size(), 3u);
  EXPECT_EQ(sources.size(), 3u);
  EXPECT_EQ((*modules)[0].folder, "");
  EXPECT_EQ((*modules)[1].folder, "sub/");
  EXPECT_EQ((*modules)[2].folder, "");
  EXPECT_EQ((*modules)[1].imports, (std::vector<std::optional<std::size_t>>{0}));
  EXPECT_EQ((*modules)[2].imports, (std::vector<std::optional<std::size_t>>{1, 0}));
  EXPECT_EQ(std::get<BlockItem>((*modules)[0].tree.items.at(0).form).name.text, "C");
}

TEST(Modules, ThereMayNotBeTooManyOfThem) {
  const Folder folder;
  std::string imports;
  for (std::size_t i = 0; i <= kMostModules; ++i) {
    const std::string name = "f" + std::to_string(i);
    folder.write(name + ".cnn", "let " + name + " = 1\n");
    imports += "import " + name + " from \"" + name + ".cnn\"\n";
  }
  folder.write("a.cnn", imports);
  Sources sources;
  Diagnostics diagnostics;
  EXPECT_TRUE(load(folder / "a.cnn", sources, diagnostics));
  ASSERT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all().front().id, "too-many-files");
  EXPECT_EQ(diagnostics.all().front().text, "more than 1000 files are imported");
}

}  // namespace
}  // namespace cnnc::syntax
