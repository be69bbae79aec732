// Every message as people read it: NAME.cnn is compiled, and what cnnc says of it must be NAME.txt, whole and
// by the byte. The expected texts are written by hand; nothing here can write them. A comment `# --set
// name=value` in a spec is an override.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "ops/cards.hpp"
#include "sema/analyze.hpp"
#include "syntax/modules.hpp"
#include "syntax/parser.hpp"

namespace cnnc {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream.good()) << path;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::string> names(const char* extension) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(CASES)) {
    if (entry.path().extension() == extension && entry.path().filename() != "CMakeLists.txt") {
      found.push_back(entry.path().stem().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

sema::Overrides overrides_in(const std::string& text) {
  static const std::regex kSet("# --set ([^=\n]*)=([^\n]*)");
  sema::Overrides overrides;
  for (std::sregex_iterator match(text.begin(), text.end(), kSet), end; match != end; ++match) {
    overrides.emplace_back((*match)[1], (*match)[2]);
  }
  return overrides;
}

struct Outcome {
  Sources sources;
  Diagnostics diagnostics;
  std::vector<sema::Program> programs;
};

void compile(const std::string& name, Outcome& outcome) {
  const fs::path path = fs::path(CASES) / (name + ".cnn");
  const auto overrides = overrides_in(read(path));
  const ir::OpRegistry ops = ops::registry();
  const auto modules = syntax::load(path, outcome.sources, outcome.diagnostics);
  if (!modules || outcome.diagnostics.failed()) return;
  outcome.programs = sema::analyze(*modules, ops, overrides, outcome.sources, outcome.diagnostics);
}

// Messages name files as the compiler was called; cases show them without their folder.
std::string rendered(const Outcome& outcome) {
  return std::regex_replace(render(outcome.diagnostics, outcome.sources), std::regex(std::string(CASES) + "/"), "");
}

class Case : public testing::TestWithParam<std::string> {};

TEST_P(Case, SaysWhatItShould) {
  Outcome outcome;
  compile(GetParam(), outcome);
  EXPECT_EQ(rendered(outcome), read(fs::path(CASES) / (GetParam() + ".txt")));
  EXPECT_FALSE(outcome.diagnostics.all().empty()) << "a case that says nothing shows nothing";
}

INSTANTIATE_TEST_SUITE_P(Diagnostics, Case, testing::ValuesIn(names(".cnn")), [](const auto& info) {
  return std::regex_replace(info.param, std::regex("[^A-Za-z0-9]"), "_");
});

TEST(Diagnostics, EverySpecHasItsTextAndEveryTextItsSpec) {
  EXPECT_EQ(names(".cnn"), names(".txt"));
  EXPECT_GE(names(".cnn").size(), 50u);
}

// A spec of more than a MiB is not kept in the repository.
TEST(Diagnostics, AFileThatIsTooLargeIsRefusedBeforeItIsRead) {
  Outcome outcome;
  const auto file =
      outcome.sources.add("large.cnn", "cnn 1\n" + std::string((std::size_t{1} << 20) + 1, '#'));
  EXPECT_FALSE(syntax::parse(outcome.sources, file, outcome.diagnostics));
  EXPECT_EQ(render(outcome.diagnostics, outcome.sources), "error: large.cnn has 1 MiB; a spec may have 1\n");
}

// The ids between "// ---- from ----" and "// ---- to ----" of messages.hpp.
std::set<std::string> declared_ids(const std::string& stage) {
  const std::string text = read(MESSAGES);
  const std::string heading = "// ---------- " + stage + " ----------";
  const std::size_t begin = text.find(heading);
  EXPECT_NE(begin, std::string::npos) << stage;
  const std::string section = text.substr(begin, text.find("// ----------", begin + heading.size()) - begin);
  static const std::regex kDeclaration("k[A-Za-z0-9]+\\{\\s*\"([a-z0-9-]+)\"");
  std::set<std::string> ids;
  for (std::sregex_iterator match(section.begin(), section.end(), kDeclaration), end; match != end; ++match) {
    ids.insert((*match)[1]);
  }
  return ids;
}

// Ids that the parser's own tests name, and the one shown above.
std::set<std::string> ids_in_syntax_tests(const std::set<std::string>& candidates) {
  std::set<std::string> found{"text-too-large"};
  const fs::path folder = fs::path(TESTS) / "syntax";
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string text = read(entry.path());
    for (const std::string& id : candidates) {
      if (text.find('"' + id + '"') != std::string::npos) found.insert(id);
    }
  }
  return found;
}

TEST(Diagnostics, EveryMessageIsShownByACase) {
  std::set<std::string> shown;
  for (const std::string& name : names(".cnn")) {
    Outcome outcome;
    compile(name, outcome);
    for (const Diagnostic& diagnostic : outcome.diagnostics.all()) shown.insert(diagnostic.id);
  }
  for (const std::string stage : {"syntax", "sema", "ops"}) {
    const auto declared = declared_ids(stage);
    EXPECT_FALSE(declared.empty()) << stage;
    if (stage == "syntax") shown.merge(ids_in_syntax_tests(declared));
    for (const std::string& id : declared) EXPECT_TRUE(shown.contains(id)) << stage << ": " << id;
  }
}

}  // namespace
}  // namespace cnnc
