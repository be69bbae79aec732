// Runs a program as a child process.
#include "child.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace {

std::string temporary_file() {
  std::string name = "/tmp/cnn-child-XXXXXX";
  if (const char* folder = std::getenv("TMPDIR")) name = std::string(folder) + "/cnn-child-XXXXXX";
  const int file = mkstemp(name.data());
  if (file < 0) throw std::runtime_error("cannot make a temporary file " + name);
  close(file);
  return name;
}

void redirect(const std::string& path, int to) {
  const int file = open(path.c_str(), O_WRONLY | O_TRUNC);
  dup2(file, to);
  close(file);
}

}  // namespace

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Child::Child(std::string program, std::vector<std::string> arguments, const Environment& environment)
    : output_file_(temporary_file()), errors_file_(temporary_file()) {
  std::vector<char*> words = {program.data()};
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("cannot fork");
  if (process_ > 0) return;
  setenv("OPENBLAS_NUM_THREADS", "1", 1);  // the tests start hundreds of processes
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  redirect(output_file_, STDOUT_FILENO);
  redirect(errors_file_, STDERR_FILENO);
  execv(words[0], words.data());
  _exit(127);
}

Child::~Child() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  unlink(output_file_.c_str());
  unlink(errors_file_.c_str());
}

void Child::send(int signal) const {
  kill(process_, signal);
}

Ended Child::end() {
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = -1;
  Ended ended;
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.output = read_text(output_file_);
  ended.errors = read_text(errors_file_);
  return ended;
}

Ended run_child(const std::string& program, const std::vector<std::string>& arguments,
                const Environment& environment) {
  return Child(program, arguments, environment).end();
}
