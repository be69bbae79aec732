// The command line of cnnc.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "driver/compile.hpp"

namespace cnnc::driver {

/// The command line is not understood: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct CommandLine {
  std::string binary;               // cnnc, as it was called
  std::string command;
  std::string subject;              // the spec, or a layer for describe
  std::vector<std::string> files;   // all that stands without an option's name, the subject among them
  std::string second;               // diff: the other spec; export: the weights
  CompileOptions compile;
  std::filesystem::path output = "."; // generate, export, autotune
  std::filesystem::path depfile;    // generate; empty: none
  std::filesystem::path stamp;      // generate; empty: none
  std::string program_name;         // generate: for the one program, in place of its own; empty: none
  bool match_by_order = false;      // weights map, export
  int threads = 0;                  // summary, compare, autotune: 0 means this machine's
  int depth = 0;                    // summary: 0 means all of it
  int batch = 32;                   // compare
  int steps = 3;                    // autotune: that are watched in each round
  bool keras = false;               // summary
  bool json = false;
  bool check = false;               // fmt
  bool svg = false;                 // graph
  bool markdown = false;            // describe, compare
  bool help = false;
  std::vector<std::string> program; // arguments for the generated program
};

/// Throws UsageError.
CommandLine parse_command_line(int argc, char** argv);

/// The help of a command, or of cnnc as a whole.
std::string help_text(const std::string& command);

}  // namespace cnnc::driver
