// What computes: the processor's name and what the program was compiled for.
#include "machine.hpp"

#include <fstream>

namespace cnn::program {
namespace {

/// A line of /proc/self/status, in bytes.
std::int64_t status_bytes(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return 1024 * std::stoll(line.substr(name.size() + 1));
  }
  return 0;
}

}  // namespace

std::int64_t memory_peak() {
  return status_bytes("VmHWM");
}

std::int64_t memory_resident() {
  return status_bytes("VmRSS");
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name") && !line.starts_with("Model")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string instruction_set() {
#if defined(__x86_64__)
  std::string set = "x86-64";
#elif defined(__aarch64__)
  std::string set = "aarch64";
#else
  std::string set = "generic";
#endif
#if defined(__AVX512F__)
  set += " avx512f";
#elif defined(__AVX2__)
  set += " avx2";
#elif defined(__AVX__)
  set += " avx";
#elif defined(__SSE4_2__)
  set += " sse4.2";
#endif
#if defined(__FMA__)
  set += " fma";
#endif
  return set;
}

}  // namespace cnn::program
