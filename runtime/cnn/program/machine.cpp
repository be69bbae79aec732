// What computes: the processor's name, and the memory that the process has.
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

std::int64_t memory_of_files() {
  return status_bytes("RssFile");
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

}  // namespace cnn::program
