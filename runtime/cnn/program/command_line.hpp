// The command line of a generated program as values. The only place that knows Boost.Program_options.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cnn/data/dataset.hpp"
#include "cnn/network/description.hpp"
#include "formats/match.hpp"

namespace cnn::program {

/// Where the data is: `data` replaces the spec's folder, which otherwise is relative to `root`.
struct DataPlace {
  std::optional<std::filesystem::path> data;
  std::filesystem::path root = ".";
};

/// `--init PATH=FILE`, in the place of the file that the spec's `init PATH` names; none: PATH=random.
struct InitialFile {
  std::string path;
  std::optional<std::filesystem::path> file;
};

struct TrainOptions {
  DataPlace place;
  std::vector<InitialFile> initial_files;
  std::optional<int> epochs;  // of each phase
  std::optional<int> batch;
  std::optional<std::uint64_t> seed;
  int threads = 1;
  std::filesystem::path out;
  bool resume = false;
  bool overwrite = false;
  bool quiet = false;
};

struct EvaluateOptions {
  DataPlace place;
  std::optional<std::filesystem::path> weights;
  formats::MatchBy match = formats::MatchBy::kName;
  std::filesystem::path out;  // where weights are looked for
  std::optional<Part> part;
  int batch = 1;
  int threads = 1;
  bool json = false;
};

struct PredictOptions {
  std::vector<std::filesystem::path> files;
  std::optional<std::filesystem::path> weights;
  formats::MatchBy match = formats::MatchBy::kName;
  std::filesystem::path out;
  std::int64_t first = 0;  // 0: all images
  int top = 3;
  int threads = 1;
  bool json = false;
};

struct InfoOptions {
  int threads = 1;
  bool json = false;
};

struct BenchOptions {
  int batch = 1;
  int steps = 20;
  int threads = 1;
  bool json = false;
  bool orders = false;  // what to run comes from standard input
};

struct ProfileOptions {
  int batch = 1;
  int steps = 10;
  std::optional<int> phase;  // whose training step; none: predictions
  bool layers = false;       // each layer by itself, not by lines
  int threads = 1;
  bool json = false;
};

/// `--help`: the text to print.
struct HelpOptions {
  std::string text;
};

/// `--version`
struct VersionOptions {};

using Options = std::variant<TrainOptions, EvaluateOptions, PredictOptions, InfoOptions, BenchOptions,
                             ProfileOptions, HelpOptions, VersionOptions>;

/// Reads the arguments after the program's name. Throws UsageError.
Options parse_command_line(const std::vector<std::string>& arguments, const ModelDescription& model);

}  // namespace cnn::program
