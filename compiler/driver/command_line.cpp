// Options by Boost.Program_options.
#include "driver/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

#include "support/diagnostics.hpp"

namespace cnnc::driver {

namespace {

namespace po = boost::program_options;

struct CommandDef {
  std::string_view name;
  std::string_view usage;
  std::string_view summary;
  bool runs_program = false;
  std::size_t least = 1, most = 1;  // files
  std::string_view needs = "a spec";
};

constexpr std::size_t kAnyNumber = 1'000'000;
constexpr CommandDef kCommands[] = {
    {"check", "SPEC", "checks a spec and explains its mistakes"},
    {"describe", "[NAME]", "all that the language calls by name, or all about one", false, 0},
    {"summary", "SPEC", "layers, shapes, parameters, MACs and memory"},
    {"fmt", "[--check] FILES", "rewrites specs in their canonical form", false, 1, kAnyNumber},
    {"explain", "SPEC", "what each phase freezes, what learns and how fast"},
    {"render", "SPEC", "the spec fully expanded, with every default"},
    {"diff", "SPEC SPEC", "what differs by meaning: layers, figures, training", false, 2, 2, "two specs"},
    {"compare", "SPEC[:MODEL] ...", "networks side by side: parameters, MACs, depth, memory", false, 1, kAnyNumber},
    {"graph", "SPEC", "the network as a drawing, in dot or as SVG"},
    {"export", "SPEC WEIGHTS -o FILE", "writes the network with its weights as an ONNX file", false, 2, 2, "a spec and its weights"},
    {"generate", "SPEC -o DIR", "writes the C++ of a spec's programs"},
    {"autotune", "SPEC [-o FILE]", "measures the algorithms of each layer, and writes the best for --tuned"},
    {"weights", "inspect|convert|map", "reads weights files: what is in them, and how they fit a spec", false, 0, kAnyNumber},
    {"train", "SPEC [OPTIONS]", "generates, builds and trains", true},
    {"eval", "SPEC [OPTIONS]", "generates, builds and evaluates", true},
    {"predict", "SPEC FILES [OPTIONS]", "generates, builds and predicts", true},
    {"bench", "SPEC [OPTIONS]", "generates, builds and times", true},
    {"profile", "SPEC [OPTIONS]", "generates, builds, and tells what each line costs", true},
};

const CommandDef* find_command(std::string_view name) {
  const auto found = std::ranges::find(kCommands, name, &CommandDef::name);
  return found == std::end(kCommands) ? nullptr : found;
}

// Commands that plan a program as it will run.
bool takes_tuning(const CommandDef& command) {
  static constexpr std::string_view kOthers[] = {"generate", "explain", "summary"};
  return command.runs_program || std::ranges::find(kOthers, command.name) != std::end(kOthers);
}

po::options_description options_of(const CommandDef& command) {
  po::options_description options("Options");
  auto add = options.add_options();
  add("help,h", "this help");
  if (command.name == "describe") {
    add("markdown", "the whole reference, as in docs/reference.md");
    return options;
  }
  if (command.name == "fmt") {
    add("check", "changes nothing; lists the files that would change, exit code 1 where there are any");
    return options;
  }
  if (command.name == "weights") {
    add("json", "inspect: machine-readable");
    add("match", po::value<std::string>(), "map: name or order (default: name)");
  }
  add("set", po::value<std::vector<std::string>>()->composing(), "NAME=VALUE: another value for a model's parameter or a setting of train");
  add("precision", po::value<std::string>(), "strict or fast: how closely results follow the definition, in place of train's");
  if (command.name != "compare") add("model", po::value<std::string>(), "the model, where the spec has several");
  if (takes_tuning(command)) add("tuned", po::value<std::string>(), "FILE: algorithms as cnnc autotune chose them, in place of the cost model's choice");
  if (command.runs_program || command.name == "weights") return options;
  if (command.name == "check" || command.name == "summary" || command.name == "compare") add("json", "machine-readable");
  if (command.name == "graph") add("svg", "drawn by Graphviz's dot, as SVG");
  if (command.name == "summary" || command.name == "compare") {
    add("threads", po::value<int>(), "threads to count scratch memory for (default: this machine's)");
  }
  if (command.name == "summary") {
    add("depth", po::value<int>(), "N: what lies deeper than N names is one line");
    add("keras", "the table and the totals as Keras has them");
  }
  if (command.name == "compare") {
    add("batch", po::value<int>(), "images to count memory for (default: 32)");
    add("markdown", "a table in Markdown");
    return options;
  }
  if (command.name == "export") {
    add("out,o", po::value<std::string>(), "FILE: the ONNX file to write");
    add("match", po::value<std::string>(), "name or order: how the weights are found (default: name)");
  }
  if (command.name == "autotune") {
    add("out,o", po::value<std::string>(), "FILE: the tuning file to write (default: the program's name and .tune)");
    add("steps", po::value<int>(), "N: steps of each program that are watched in each of three rounds (default: 3)");
    add("threads", po::value<int>(), "threads to measure with (default: this machine's)");
    return options;
  }
  if (command.name == "generate") {
    add("out,o", po::value<std::string>(), "folder to write to (default: this one)");
    add("name", po::value<std::string>(), "the program's name and so its files', where the spec's own is not wanted");
    add("depfile", po::value<std::string>(), "FILE: also writes, as a rule for make, which files the spec consists of");
    add("stamp", po::value<std::string>(), "FILE: touched each time, since files whose text stays keep their age");
  }
  add("dump", po::value<std::string>(), "ast, model, graph or plan: prints that value");
  add("dump-after", po::value<std::string>(), "PASS: prints the graph after each run of a pass");
  return options;
}

std::pair<std::string, std::string> parse_set(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw UsageError(fmt::format("--set takes NAME=VALUE, not '{}'", text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// What can be a file's name, a program's and an #include's alike, whatever reads it.
bool is_file_name(std::string_view name) {
  const auto plain = [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto any = [&](char c) { return plain(c) || c == '+' || c == '-' || c == '.'; };
  return !name.empty() && plain(name.front()) && std::ranges::all_of(name, any);
}

void take_values(const po::variables_map& values, CommandLine& line) {
  line.help = values.count("help") > 0;
  line.json = values.count("json") > 0;
  line.check = values.count("check") > 0;
  line.svg = values.count("svg") > 0;
  line.markdown = values.count("markdown") > 0;
  if (values.count("set")) {
    for (const std::string& text : values["set"].as<std::vector<std::string>>()) line.compile.overrides.push_back(parse_set(text));
  }
  const auto text = [&](const char* name, std::string& target) {
    if (values.count(name)) target = values[name].as<std::string>();
  };
  text("model", line.compile.model);
  if (values.count("tuned")) line.compile.tuned = values["tuned"].as<std::string>();
  if (values.count("precision")) {
    const std::string precision = values["precision"].as<std::string>();
    if (precision != "strict" && precision != "fast") {
      throw UsageError(fmt::format("--precision takes strict or fast, not '{}'", precision));
    }
    line.compile.precision = precision == "strict" ? ir::Precision::kStrict : ir::Precision::kFast;
  }
  text("dump", line.compile.dump);
  text("dump-after", line.compile.dump_after);
  if (values.count("out")) line.output = values["out"].as<std::string>();
  if (values.count("depfile")) line.depfile = values["depfile"].as<std::string>();
  if (values.count("stamp")) line.stamp = values["stamp"].as<std::string>();
  if (values.count("match")) {
    const std::string match = values["match"].as<std::string>();
    if (match != "name" && match != "order") throw UsageError(fmt::format("--match takes name or order, not '{}'", match));
    line.match_by_order = match == "order";
  }
  text("name", line.program_name);
  if (values.count("name") && !is_file_name(line.program_name)) {
    throw UsageError(fmt::format("--name takes letters, digits and _ + - . and begins with a letter, a digit or _, not '{}'", line.program_name));
  }
  line.keras = values.count("keras") > 0;
  const auto count = [&](const char* name, int& target) {
    if (values.count(name) == 0) return;
    target = values[name].as<int>();
    if (target < 1) throw UsageError(fmt::format("--{} must be at least 1, not {}", name, target));
  };
  count("threads", line.threads);
  count("depth", line.depth);
  count("batch", line.batch);
  count("steps", line.steps);
  static constexpr std::string_view kDumps[] = {"", "ast", "model", "graph", "plan"};
  if (std::ranges::find(kDumps, line.compile.dump) == std::end(kDumps)) {
    throw UsageError(fmt::format("--dump takes ast, model, graph or plan, not '{}'", line.compile.dump));
  }
  static constexpr std::string_view kPasses[] = {"", "separate_probabilities", "remove_identities", "remove_dead_nodes"};
  if (std::ranges::find(kPasses, line.compile.dump_after) == std::end(kPasses)) {
    throw UsageError(fmt::format("there is no pass '{}'; the passes are separate_probabilities, remove_identities, remove_dead_nodes", line.compile.dump_after));
  }
}

const CommandDef& require_command(const std::string& name) {
  if (const CommandDef* command = find_command(name)) return *command;
  std::vector<std::string_view> names;
  for (const CommandDef& command : kCommands) names.push_back(command.name);
  const std::string_view near = nearest(name, names);
  throw UsageError(fmt::format("there is no command '{}'{}", name, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

// What cnnc does not know itself is the generated program's: after the spec, everything but these.
void split_for_program(std::vector<std::string>& words, CommandLine& line) {
  std::vector<std::string> own;
  for (std::size_t i = 0; i < words.size(); ++i) {
    static constexpr std::string_view kOwn[] = {"--set", "--model", "--precision", "--tuned"};
    const std::string_view name = std::string_view(words[i]).substr(0, words[i].find('='));
    const bool takes_value = name.size() == words[i].size();
    if (std::ranges::find(kOwn, name) != std::end(kOwn)) {
      own.push_back(words[i]);
      if (takes_value && i + 1 < words.size()) own.push_back(words[++i]);
    } else if (line.subject.empty() && !words[i].starts_with("-")) {
      line.subject = words[i];
    } else if (line.subject.empty() && (words[i] == "--help" || words[i] == "-h")) {
      line.help = true;
    } else {
      line.program.push_back(words[i]);
    }
  }
  words = std::move(own);
}

// What stands without an option's name, as many as the command takes. What runs a program has taken its spec already.
void take_files(const CommandDef& command, CommandLine& line) {
  if (!command.runs_program && !line.files.empty()) line.subject = line.files.front();
  if (line.files.size() > 1) line.second = line.files[1];
  const std::size_t given = command.runs_program ? (line.subject.empty() ? 0 : 1) : line.files.size();
  if (given < command.least && !line.help)
    throw UsageError(fmt::format("'{}' needs {}: cnnc {} {}", command.name, command.needs, command.name, command.usage));
  if (given > command.most)
    throw UsageError(fmt::format("'{}' takes {}, not also '{}'", command.name, command.usage, line.files[command.most]));
  if (command.name == "export" && !line.help && line.output == ".") throw UsageError("'export' needs a file to write: -o model.onnx");
  line.compile.spec = command.name == "weights" && line.files.size() > 1 ? line.files[1] : line.subject;
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine line;
  line.binary = argv[0];
  if (argc < 2) throw UsageError("which command?");
  line.command = argv[1];
  if (line.command == "--help" || line.command == "-h" || line.command == "help") {
    line.command.clear();
    line.help = true;
    return line;
  }
  if (line.command == "--version") return line;
  const CommandDef& command = require_command(line.command);
  std::vector<std::string> words(argv + 2, argv + argc);
  if (command.runs_program) split_for_program(words, line);
  const po::options_description options = options_of(command);
  po::options_description all;
  all.add(options).add_options()("subject", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("subject", -1);
  try {
    po::variables_map values;
    po::store(po::command_line_parser(words).options(all).positional(positional).run(), values);
    po::notify(values);
    if (values.count("subject")) line.files = values["subject"].as<std::vector<std::string>>();
    take_values(values, line);
  } catch (const po::error& error) {
    throw UsageError(error.what());
  }
  take_files(command, line);
  line.compile.generates = command.runs_program || command.name == "generate" || command.name == "autotune";
  return line;
}

std::string help_text(const std::string& name) {
  const CommandDef* command = find_command(name);
  std::ostringstream text;
  if (command != nullptr) {
    text << "cnnc " << command->name << " " << command->usage << "\n  " << command->summary << "\n\n" << options_of(*command);
    if (command->runs_program) text << "\nAll other options are the program's: cnnc " << command->name << " SPEC --help lists them.\n";
    return text.str();
  }
  text << "cnnc: a compiler for convolutional networks\n\n";
  for (const CommandDef& each : kCommands) text << fmt::format("  cnnc {:<9}{:<22}{}\n", each.name, each.usage, each.summary);
  text << "\ncnnc COMMAND --help tells more.\n";
  return text.str();
}

}  // namespace cnnc::driver
