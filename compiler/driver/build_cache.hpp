// Built programs, kept between runs: keyed by all that they are made of, locked while built, bounded in number.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "emit/emit.hpp"

namespace cnnc::driver {

/// What it takes to build a generated program on this machine; share/cnnc/runtime.json beside the binary.
struct Toolchain {
  std::filesystem::path compiler;        // empty: there is none
  std::vector<std::string> include;
  std::vector<std::string> flags;
  std::vector<std::string> libraries;    // files: a part of the key by their contents
  std::vector<std::string> link;
};

/// Throws std::runtime_error with a text for the user where the runtime or a C++ compiler is missing.
Toolchain find_toolchain();

/// The binary of a program, built where the cache does not have it yet. Throws InternalError where the generated text does
/// not compile, std::runtime_error where the cache can't be written.
std::filesystem::path cached_program(const std::string& name, const std::vector<emit::GeneratedFile>& files,
                                     const Toolchain& toolchain);

}  // namespace cnnc::driver
