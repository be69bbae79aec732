// The choice of an instruction set. cmake/Dispatch.cmake makes the tables; without it (CNN_DISPATCH) there is no choice.
#include "cnn/core/instructions.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace cnn {

namespace {

#if defined(__x86_64__) && defined(__linux__)

// Asks for the tile registers, which Linux gives to those processes only that ask (its documentation, x86/xstate).
bool enable_bf16_tiles() {
  constexpr unsigned kTiles = 1u << 24, kBf16 = 1u << 22, kAvx512bw = 1u << 30;  // CPUID, leaf 7: EDX, EDX, EBX
  constexpr unsigned kSavesExtendedState = 1u << 27;                            // leaf 1: ECX
  constexpr unsigned kTileStates = 3u << 17;                                    // of the extended control register
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSavesExtendedState) == 0) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & (kTiles | kBf16)) != (kTiles | kBf16) || (b & kAvx512bw) == 0) return false;
  unsigned low = 0, high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & kTileStates) == kTileStates && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

#else

bool enable_bf16_tiles() {
  return false;
}

#endif

// Whether this process has them.
bool bf16_tiles_enabled() {
  static const bool enabled = enable_bf16_tiles();
  return enabled;
}

}  // namespace

}  // namespace cnn

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

// The last is the one before, whose kernels then use tiles, too.
constexpr std::array<std::string_view, 4> kNames = {"x86-64", "x86-64-v3", "x86-64-v4", "x86-64-v4-amx"};
constexpr std::array<const void* const*, 4> kTables = {cnn_kernels_x86_64, cnn_kernels_x86_64_v3, cnn_kernels_x86_64_v4, cnn_kernels_x86_64_v4};

constinit std::size_t chosen_set = 0;

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
  if (has_v4) return bf16_tiles_enabled() ? 4 : 3;
  return has_v3 ? 2 : 1;
}

std::string_view wished_set() {
  const char* name = std::getenv("CNN_INSTRUCTIONS");
  return name == nullptr ? "" : name;
}

// Before the program's own initializers.
[[gnu::constructor(101)]] void choose_instruction_set() {
  chosen_set = count_available() - 1;
  cnn_kernel_table = kTables[chosen_set];
  if (!wished_set().empty()) use_instruction_set(wished_set());
}

}  // namespace

std::string instruction_set() {
  return std::string(kNames[chosen_set]);
}

std::span<const std::string_view> instruction_sets() {
  return std::span(kNames).first(count_available());
}

bool use_instruction_set(std::string_view name) {
  for (std::size_t set = 0; set < count_available(); ++set) {
    if (kNames[set] != name) continue;
    chosen_set = set;
    cnn_kernel_table = kTables[set];
    return true;
  }
  return false;
}

bool has_bf16_tiles() {
  return chosen_set + 1 == kNames.size();
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
  if (has_bf16_tiles()) set += " amx-bf16";
  return set;
}

std::span<const std::string_view> instruction_sets() {
  return {};
}

bool use_instruction_set(std::string_view) {
  return false;
}

bool has_bf16_tiles() {
#if defined(__AVX512BW__)
  constexpr bool kKernelsUseThem = true;
#else
  constexpr bool kKernelsUseThem = false;
#endif
  return kKernelsUseThem && bf16_tiles_enabled();
}

std::string instruction_set_problem() {
  const char* name = std::getenv("CNN_INSTRUCTIONS");
  if (name == nullptr || *name == 0) return "";
  return "CNN_INSTRUCTIONS is '" + std::string(name) + "', but this program was compiled for one instruction set: " +
         instruction_set();
}

}  // namespace cnn

#endif
