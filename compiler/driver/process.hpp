// Running other programs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cnnc::driver {

/// The file a command name stands for, as a shell would find it in PATH; empty where there is none.
std::filesystem::path find_program(const std::string& name);

/// The directory of the running binary.
std::filesystem::path own_directory();

/// Runs a command and waits for it; what it prints goes to `log`. Its exit status; 127 where it can't be started.
int run_and_wait(const std::vector<std::string>& command, const std::filesystem::path& log);

/// Becomes the command. Returns only where that is impossible.
void replace_process(const std::vector<std::string>& command);

}  // namespace cnnc::driver
