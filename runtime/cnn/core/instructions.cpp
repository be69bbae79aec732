// The choice of an instruction set. cmake/Dispatch.cmake makes the tables; without it (CNN_DISPATCH) there is no choice.
#include "cnn/core/instructions.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>

#if defined(CNN_DISPATCH)

extern "C" {
// One table of kernels' addresses for each set, in the same order; the last word of a set's name is the table's.
[[gnu::visibility("hidden")]] extern const void* const cnn_kernels_x86_64[];
[[gnu::visibility("hidden")]] extern const void* const cnn_kernels_x86_64_v3[];
[[gnu::visibility("hidden")]] extern const void* const cnn_kernels_x86_64_v4[];

// The table that kernels jump through. Known before the program runs, so that kernels called by initializers run well.
[[gnu::visibility("hidden")]] constinit const void* const* cnn_kernel_table = cnn_kernels_x86_64;
}

namespace cnn {

namespace {

constexpr std::array<std::string_view, 3> kNames = {"x86-64", "x86-64-v3", "x86-64-v4"};
constexpr std::array<const void* const*, 3> kTables = {cnn_kernels_x86_64, cnn_kernels_x86_64_v3, cnn_kernels_x86_64_v4};

/// How many of the sets this processor and its operating system have: each contains those before it.
std::size_t count_available() {
  __builtin_cpu_init();
#if defined(__clang__)
  // What Clang knows by name; no processor has these without the rest of their level.
  const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                      __builtin_cpu_supports("bmi2");
  const bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
#else
  const bool has_v3 = __builtin_cpu_supports("x86-64-v3");
  const bool has_v4 = __builtin_cpu_supports("x86-64-v4");
#endif
  return has_v4 ? 3 : has_v3 ? 2 : 1;
}

std::string_view wished_set() {
  const char* name = std::getenv("CNN_INSTRUCTIONS");
  return name == nullptr ? "" : name;
}

// Before the program's own initializers.
[[gnu::constructor(101)]] void choose_instruction_set() {
  cnn_kernel_table = kTables[count_available() - 1];
  if (!wished_set().empty()) use_instruction_set(wished_set());
}

}  // namespace

std::string instruction_set() {
  std::size_t set = 0;
  while (kTables[set] != cnn_kernel_table) ++set;
  return std::string(kNames[set]);
}

std::span<const std::string_view> instruction_sets() {
  return std::span(kNames).first(count_available());
}

bool use_instruction_set(std::string_view name) {
  for (std::size_t set = 0; set < count_available(); ++set) {
    if (kNames[set] != name) continue;
    cnn_kernel_table = kTables[set];
    return true;
  }
  return false;
}

std::string instruction_set_problem() {
  if (wished_set().empty()) return "";
  std::string others;
  for (const std::string_view name : instruction_sets()) {
    if (name == wished_set()) return "";
    others += (others.empty() ? "" : ", ") + std::string(name);
  }
  return "CNN_INSTRUCTIONS is '" + std::string(wished_set()) + "'; this program and this processor have " + others;
}

}  // namespace cnn

#else

namespace cnn {

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

std::span<const std::string_view> instruction_sets() {
  return {};
}

bool use_instruction_set(std::string_view) {
  return false;
}

std::string instruction_set_problem() {
  const char* name = std::getenv("CNN_INSTRUCTIONS");
  if (name == nullptr || *name == 0) return "";
  return "CNN_INSTRUCTIONS is '" + std::string(name) + "', but this program was compiled for one instruction set: " +
         instruction_set();
}

}  // namespace cnn

#endif
