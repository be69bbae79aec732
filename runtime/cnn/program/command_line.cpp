// Reads the command line. Values are taken as text and checked here, so that a wrong one is named with what
// was expected.
#include "command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <limits>
#include <thread>

#include "errors.hpp"
#include "suggestion.hpp"
#include "text.hpp"

namespace cnn::program {
namespace {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

constexpr int kMostThreads = 1024;

/// One sub-command: what it is called, what it does, and its options.
struct Command {
  std::string name;
  std::string operands;
  std::string summary;
  po::options_description options;
};

class Reader {
 public:
  Reader(const Arguments& arguments, const Command& command, const ModelDescription& model)
      : command_(command), model_(model) {
    try {
      const auto style = po::command_line_style::allow_long | po::command_line_style::long_allow_adjacent |
                         po::command_line_style::long_allow_next;
      const po::parsed_options parsed =
          po::command_line_parser(arguments).options(command.options).style(style).run();
      for (const po::option& option : parsed.options) take(option);
      po::store(parsed, values_);
    } catch (const po::unknown_option& error) {
      fail(fmt::format("unknown option '{}'", error.get_option_name()), error.get_option_name());
    } catch (const po::invalid_command_line_syntax& error) {
      if (error.kind() == po::invalid_command_line_syntax::extra_parameter)
        fail(fmt::format("option '{}' takes no value", error.get_option_name()));
      fail(fmt::format("option '{}' needs a value", error.get_option_name()));
    } catch (const po::multiple_occurrences& error) {
      fail(fmt::format("option '{}' is given twice", error.get_option_name()));
    } catch (const po::error& error) {
      fail(error.what());
    }
  }

  bool has(const char* name) const { return values_.count(name) > 0; }
  std::string text(const char* name) const { return values_[name].as<std::string>(); }
  const std::vector<std::filesystem::path>& operands() const { return operands_; }

  std::optional<std::filesystem::path> path(const char* name) const {
    if (!has(name)) return std::nullopt;
    if (text(name).empty()) fail(fmt::format("option '--{}' needs a path and was given an empty one", name));
    return std::filesystem::path(text(name));
  }

  template <class Number>
  std::optional<Number> number(const char* name, Number least, Number most) const {
    if (!has(name)) return std::nullopt;
    const std::string value = text(name);
    Number result{};
    const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (status == std::errc() && end == value.data() + value.size() && result >= least && result <= most)
      return result;
    const bool open = most == std::numeric_limits<Number>::max();
    fail(fmt::format("option '--{}' takes a whole number {}, not '{}'", name,
                     open ? fmt::format("from {}", least) : fmt::format("from {} to {}", least, most),
                     value));
  }

  int threads() const {
    const auto cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    return number("threads", 1, kMostThreads).value_or(cores);
  }

  std::optional<int> batch() const {
    const auto batch = number("batch", 1, std::numeric_limits<int>::max());
    if (batch && *batch > model_.batch)
      throw UsageError(fmt::format("option '--batch' is {}, and this program is planned for at most {}",
                                   *batch, model_.batch),
                       fmt::format("plan it anew: cnnc generate {} --set batch={}", model_.spec, *batch));
    return batch;
  }

  /// --match with --weights.
  formats::MatchBy match() const {
    if (!has("match")) return formats::MatchBy::kName;
    if (!has("weights")) fail("option '--match' says how to match the file of '--weights', which is missing");
    if (text("match") == "name") return formats::MatchBy::kName;
    if (text("match") == "order") return formats::MatchBy::kOrder;
    fail(fmt::format("option '--match' takes name or order, not '{}'", text("match")));
  }

  /// Every --init PATH=FILE.
  std::vector<InitialFile> initial_files() const {
    std::vector<InitialFile> files;
    if (!has("init")) return files;
    for (const std::string& word : values_["init"].as<std::vector<std::string>>()) {
      const std::size_t equals = word.find('=');
      if (equals == 0 || equals == std::string::npos || equals + 1 == word.size())
        fail(fmt::format("option '--init' takes PATH=FILE or PATH=random, not '{}'", word));
      InitialFile file{.path = word.substr(0, equals), .file = word.substr(equals + 1)};
      if (*file.file == "random") file.file.reset();
      files.push_back(std::move(file));
    }
    return files;
  }

  DataPlace place() const { return {.data = path("data"), .root = path("root").value_or(".")}; }
  std::filesystem::path out() const { return path("out").value_or(fmt::format("{}-run", model_.program)); }

  [[noreturn]] void fail(const std::string& message, const std::string& near = {}) const {
    std::vector<std::string> known;
    for (const auto& option : command_.options.options()) known.push_back("--" + option->long_name());
    const std::string hint = near.empty() ? "" : suggestion(near, known);
    throw UsageError(message,
                     fmt::format("{}'{} {} --help' lists the options", hint, model_.program, command_.name));
  }

 private:
  void take(const po::option& option) {
    if (option.position_key < 0) return;
    const std::string& word = option.value.at(0);
    if (word.size() > 1 && word[0] == '-') fail(fmt::format("unknown option '{}'", word), word);
    if (command_.operands.empty())
      fail(fmt::format("'{}' takes no file or other argument, and was given '{}'", command_.name, word));
    operands_.emplace_back(word);
  }

  const Command& command_;
  const ModelDescription& model_;
  po::variables_map values_;
  std::vector<std::filesystem::path> operands_;
};

void add_help(Command& command) {
  command.options.add_options()("help", "print this");
}

void add_threads(Command& command) {
  command.options.add_options()("threads", po::value<std::string>()->value_name("N"),
                                "threads of the team (default: all cores; results do not depend on it)");
}

void add_place(Command& command, const ModelDescription& model) {
  const std::string source =
      model.data.directory.empty() ? "none in the spec" : std::string(model.data.directory);
  command.options.add_options()("data", po::value<std::string>()->value_name("DIR"),
                                fmt::format("folder of the data (default: the spec's, {})", source).c_str());
  command.options.add_options()("root", po::value<std::string>()->value_name("DIR"),
                                "what a relative path in the spec is relative to (default: .)");
}

void add_out(Command& command, const ModelDescription& model, const char* meaning) {
  command.options.add_options()("out", po::value<std::string>()->value_name("DIR"),
                                fmt::format("{} (default: {}-run)", meaning, model.program).c_str());
}

void add_weights(Command& command) {
  command.options.add_options()("weights", po::value<std::string>()->value_name("FILE"),
                                "safetensors or PyTorch's .pth (default: the run's best, else its last)")(
      "match", po::value<std::string>()->value_name("HOW"),
      "name: tensors are called as here (default); order: they stand in the spec's order");
}

Command train_command(const ModelDescription& model) {
  Command command{"train", "", "trains the model and keeps weights, state and metrics in a folder", {}};
  add_place(command, model);
  add_out(command, model, "folder of the run");
  command.options.add_options()(
      "epochs", po::value<std::string>()->value_name("N"),
      "epochs of each phase (default: the spec's, or those of the run that is resumed)")(
      "batch", po::value<std::string>()->value_name("N"),
      fmt::format("images a step, at most and by default {}", model.batch).c_str())(
      "seed", po::value<std::string>()->value_name("N"),
      fmt::format("of initial weights, order, dropout and splits (default: {})", model.training.seed)
          .c_str())("init", po::value<std::vector<std::string>>()->composing()->value_name("PATH=FILE"),
                    "other weights for the spec's 'init PATH', or PATH=random; can be given several times")(
      "resume", "go on with the run in the folder")("overwrite", "begin anew where the folder holds a run")(
      "quiet", "print the result only");
  add_threads(command);
  add_help(command);
  return command;
}

Command eval_command(const ModelDescription& model) {
  Command command{"eval", "", "loss and metrics of saved weights", {}};
  add_weights(command);
  add_out(command, model, "folder of the run");
  add_place(command, model);
  command.options.add_options()("part", po::value<std::string>()->value_name("PART"),
                                "test, val or train (default: test, or val where there is none)")(
      "batch", po::value<std::string>()->value_name("N"),
      fmt::format("images at once, at most and by default {}", model.batch).c_str())("json", "print JSON");
  add_threads(command);
  add_help(command);
  return command;
}

Command predict_command(const ModelDescription& model) {
  Command command{
      "predict", "FILES", "the most probable classes of pictures (JPEG, PNG) or of images in IDX files", {}};
  add_weights(command);
  add_out(command, model, "folder of the run");
  command.options.add_options()("first", po::value<std::string>()->value_name("N"),
                                "only an IDX file's first N images")(
      "top", po::value<std::string>()->value_name("N"), "classes to print for an image (default: 3)")(
      "json", "print JSON");
  add_threads(command);
  add_help(command);
  return command;
}

Command info_command() {
  Command command{"info", "", "what this program is: layers, parameters, memory, phases", {}};
  command.options.add_options()("json", "print JSON");
  add_threads(command);
  add_help(command);
  return command;
}

Command bench_command(const ModelDescription& model) {
  Command command{"bench", "", "times training steps and predictions on made-up images", {}};
  command.options.add_options()("batch", po::value<std::string>()->value_name("N"),
                                fmt::format("images a step, at most and by default {}", model.batch).c_str())(
      "steps", po::value<std::string>()->value_name("N"), "timed repetitions (default: 20)")(
      "json", "print JSON")("orders", "run what standard input asks for, line by line: bench/README.md says how");
  add_threads(command);
  add_help(command);
  return command;
}

Command profile_command(const ModelDescription& model) {
  Command command{"profile", "", "what each line of the spec costs, on made-up images", {}};
  command.options.add_options()("batch", po::value<std::string>()->value_name("N"),
                                fmt::format("images a step, at most and by default {}", model.batch).c_str())(
      "steps", po::value<std::string>()->value_name("N"), "steps that are watched, after one that is not (default: 10)")(
      "phase", po::value<std::string>()->value_name("NAME"), "whose training step (default: the first)")(
      "predict", "predictions in place of training steps")("layers", "each layer by itself, in place of lines")(
      "json", "print JSON");
  add_threads(command);
  add_help(command);
  return command;
}

std::vector<Command> commands(const ModelDescription& model) {
  return {train_command(model), eval_command(model), predict_command(model), info_command(),
          bench_command(model), profile_command(model)};
}

std::string overview(const ModelDescription& model) {
  std::string text =
      fmt::format("{}: the network {}, compiled from {} by cnnc {}\n\nusage: {} COMMAND [OPTIONS]\n\n",
                  model.program, model.name, model.spec, model.version, model.program);
  for (const Command& command : commands(model))
    text += fmt::format("  {:<8} {}\n", command.name, command.summary);
  return text + fmt::format("\n'{} COMMAND --help' lists a command's options.\n", model.program);
}

std::string help(const Command& command, const ModelDescription& model) {
  const std::string operands = command.operands.empty() ? "" : " " + command.operands;
  std::string text = fmt::format("usage: {}{} [OPTIONS]\n\n{}\n\noptions:\n",
                                 command_text(model, command.name), operands, command.summary);
  std::size_t width = 0;
  const auto left = [](const po::option_description& option) {
    return fmt::format("--{} {}", option.long_name(), option.format_parameter());
  };
  for (const auto& option : command.options.options()) width = std::max(width, left(*option).size());
  for (const auto& option : command.options.options())
    text += fmt::format("  {:<{}}  {}\n", left(*option), width, option->description());
  return text;
}

TrainOptions read_train(const Reader& reader) {
  TrainOptions options{
      .place = reader.place(),
      .initial_files = reader.initial_files(),
      .epochs = reader.number("epochs", 1, 1000000),
      .batch = reader.batch(),
      .seed = reader.number<std::uint64_t>("seed", 0, std::numeric_limits<std::uint64_t>::max()),
      .threads = reader.threads(),
      .out = reader.out(),
      .resume = reader.has("resume"),
      .overwrite = reader.has("overwrite"),
      .quiet = reader.has("quiet")};
  if (options.resume && options.overwrite)
    reader.fail("options '--resume' and '--overwrite' contradict each other");
  if (options.resume && !options.initial_files.empty())
    reader.fail("options '--resume' and '--init' contradict each other: a run that goes on has weights");
  return options;
}

std::optional<Part> read_part(const Reader& reader) {
  if (!reader.has("part")) return std::nullopt;
  const std::string part = reader.text("part");
  if (part == "test") return Part::kTest;
  if (part == "val") return Part::kValidation;
  if (part == "train") return Part::kTrain;
  reader.fail(fmt::format("option '--part' takes test, val or train, not '{}'", part));
}

EvaluateOptions read_evaluate(const Reader& reader, const ModelDescription& model) {
  return {.place = reader.place(),
          .weights = reader.path("weights"),
          .match = reader.match(),
          .out = reader.out(),
          .part = read_part(reader),
          .batch = reader.batch().value_or(model.batch),
          .threads = reader.threads(),
          .json = reader.has("json")};
}

PredictOptions read_predict(const Reader& reader) {
  if (reader.operands().empty()) reader.fail("'predict' needs at least one file of images");
  return {
      .files = reader.operands(),
      .weights = reader.path("weights"),
      .match = reader.match(),
      .out = reader.out(),
      .first = reader.number<std::int64_t>("first", 1, std::numeric_limits<std::int64_t>::max()).value_or(0),
      .top = reader.number("top", 1, 1000).value_or(3),
      .threads = reader.threads(),
      .json = reader.has("json")};
}

BenchOptions read_bench(const Reader& reader, const ModelDescription& model) {
  return {.batch = reader.batch().value_or(model.batch),
          .steps = reader.number("steps", 1, 1000000).value_or(20),
          .threads = reader.threads(),
          .json = reader.has("json"),
          .orders = reader.has("orders")};
}

/// The phase that is asked for by its name, else the first; none for predictions, and where nothing trains.
std::optional<int> read_phase(const Reader& reader, const ModelDescription& model) {
  const auto& phases = model.training.phases;
  if (!reader.has("phase")) return reader.has("predict") || phases.empty() ? std::nullopt : std::optional(0);
  if (reader.has("predict")) reader.fail("options '--phase' and '--predict' contradict each other");
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (phases[i].name == reader.text("phase")) return static_cast<int>(i);
    names.push_back(phases[i].name);
  }
  reader.fail(fmt::format("there is no phase '{}'; {}", reader.text("phase"),
                          names.empty() ? "nothing trains this network" : fmt::format("there are: {}", fmt::join(names, ", "))));
}

ProfileOptions read_profile(const Reader& reader, const ModelDescription& model) {
  return {.batch = reader.batch().value_or(model.batch),
          .steps = reader.number("steps", 1, 1000000).value_or(10),
          .phase = read_phase(reader, model),
          .layers = reader.has("layers"),
          .threads = reader.threads(),
          .json = reader.has("json")};
}

[[noreturn]] void unknown_command(const std::string& word, const ModelDescription& model) {
  std::vector<std::string> names;
  for (const Command& command : commands(model)) names.push_back(command.name);
  throw UsageError(
      fmt::format("unknown command '{}'", word),
      fmt::format("{}the commands are train, eval, predict, info, bench and profile", suggestion(word, names)));
}

}  // namespace

Options parse_command_line(const std::vector<std::string>& arguments, const ModelDescription& model) {
  if (arguments.empty())
    throw UsageError("a command is missing", "the commands are train, eval, predict, info, bench and profile");
  const std::string& word = arguments.front();
  if (word == "--help" || word == "-h" || word == "help") return HelpOptions{overview(model)};
  if (word == "--version") return VersionOptions{};
  const std::vector<Command> known = commands(model);
  const auto command =
      std::find_if(known.begin(), known.end(), [&](const Command& c) { return c.name == word; });
  if (command == known.end()) unknown_command(word, model);

  const Arguments rest(arguments.begin() + 1, arguments.end());
  for (const std::string& argument : rest)
    if (argument == "--help" || argument == "-h") return HelpOptions{help(*command, model)};
  const Reader reader(rest, *command, model);
  if (word == "train") return read_train(reader);
  if (word == "eval") return read_evaluate(reader, model);
  if (word == "predict") return read_predict(reader);
  if (word == "bench") return read_bench(reader, model);
  if (word == "profile") return read_profile(reader, model);
  return InfoOptions{.threads = reader.threads(), .json = reader.has("json")};
}

}  // namespace cnn::program
