// cnnc: checks .cnn specs, explains them, and turns them into C++ programs. Exit codes: 0 well, 1 the user's error,
// 2 usage, 3 an internal error.
#include <fmt/format.h>

#include "driver/commands.hpp"
#include "support/internal_error.hpp"

int main(int argc, char** argv) {
  using namespace cnnc;
  try {
    return driver::run_command(driver::parse_command_line(argc, argv));
  } catch (const driver::UsageError& error) {
    fmt::print(stderr, "error: {}\n  help: cnnc --help lists the commands\n", error.what());
    return 2;
  } catch (const InternalError& error) {
    fmt::print(stderr, "internal error in {}: {}\nThis is a mistake in cnnc, not in your spec; please report it with the spec.\n",
               error.stage(), error.what());
    return 3;
  } catch (const std::exception& error) {
    fmt::print(stderr, "internal error: {}\nThis is a mistake in cnnc, not in your spec; please report it with the spec.\n", error.what());
    return 3;
  }
}
