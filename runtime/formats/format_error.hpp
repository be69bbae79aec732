// The error of everything that reads or writes files: the user's to mend, and worded for them.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace cnn::formats {

/// A file that can't be read, understood or written. what() is "FILE: PROBLEM", where the problem says what
/// was found and what was expected.
class FormatError : public std::runtime_error {
 public:
  FormatError(const std::filesystem::path& file, const std::string& problem)
      : std::runtime_error(file.string() + ": " + problem), file_(file) {}

  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
};

}  // namespace cnn::formats
