// A bug in the compiler, never a user's mistake: the driver reports it with the stage's name and exits with 3.
#pragma once

#include <stdexcept>
#include <string>

namespace cnnc {

class InternalError : public std::logic_error {
 public:
  InternalError(std::string stage, const std::string& what) : std::logic_error(what), stage_(std::move(stage)) {}
  const std::string& stage() const { return stage_; }

 private:
  std::string stage_;
};

/// Throws InternalError when an invariant of `stage` does not hold.
inline void ensure(bool holds, const char* stage, const std::string& what) {
  if (!holds) throw InternalError(stage, what);
}

}  // namespace cnnc
