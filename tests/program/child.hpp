// Runs a program as a child process and keeps what it said.
#pragma once

#include <sys/types.h>
#include <string>
#include <utility>
#include <vector>

struct Ended {
  int code = -1;   // exit code, or -1 where a signal ended it
  int signal = 0;  // the signal that ended it, or 0
  std::string output;
  std::string errors;
};

using Environment = std::vector<std::pair<std::string, std::string>>;

/// A running child; its output goes to files that end() reads.
class Child {
 public:
  Child(std::string program, std::vector<std::string> arguments, const Environment& environment = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void send(int signal) const;
  /// Waits for its end.
  Ended end();

 private:
  pid_t process_;
  std::string output_file_, errors_file_;
};

/// Runs a program to its end.
Ended run_child(const std::string& program, const std::vector<std::string>& arguments,
                const Environment& environment = {});

/// A file's bytes; empty where there is none.
std::string read_text(const std::string& path);
