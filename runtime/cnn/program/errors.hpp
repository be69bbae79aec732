// The two kinds of error that are the user's to mend; everything else that is thrown is a bug.
#pragma once

#include <stdexcept>
#include <string>

namespace cnn::program {

/// Something about files or data: exit code 1.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Something about the command line: exit code 2. `hint` says what to do instead.
struct UsageError : std::runtime_error {
  UsageError(const std::string& message, std::string hint)
      : std::runtime_error(message), hint(std::move(hint)) {}
  std::string hint;
};

}  // namespace cnn::program
