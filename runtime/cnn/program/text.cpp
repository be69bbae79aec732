// Numbers as people read them.
#include "text.hpp"

#include <errno.h>  // program_invocation_short_name
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace cnn::program {

std::string with_commas(std::int64_t number) {
  const std::string digits = fmt::format("{}", number);
  const std::size_t sign = number < 0 ? 1 : 0;
  std::string text;
  for (std::size_t place = 0; place < digits.size(); ++place) {
    if (place > sign && (digits.size() - place) % 3 == 0) text += ',';
    text += digits[place];
  }
  return text;
}

std::string bytes_text(double bytes) {
  constexpr double kKibi = 1024;
  if (bytes < kKibi) return fmt::format("{:.0f} B", bytes);
  if (bytes < kKibi * kKibi) return fmt::format("{:.1f} KiB", bytes / kKibi);
  if (bytes < kKibi * kKibi * kKibi) return fmt::format("{:.1f} MiB", bytes / kKibi / kKibi);
  return fmt::format("{:.2f} GiB", bytes / kKibi / kKibi / kKibi);
}

std::string duration_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string percent_text(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

std::string_view command_of_own_name(const ModelDescription& model) {
  static constexpr std::string_view kCommands[] = {"train", "eval", "predict", "info", "bench", "profile"};
  std::string_view name = program_invocation_short_name;
  if (!name.starts_with(model.program)) return {};
  name.remove_prefix(model.program.size());
  for (const std::string_view command : kCommands)
    if (name.starts_with('_') && name.substr(1) == command) return command;
  return {};
}

std::string command_text(const ModelDescription& model, std::string_view command) {
  return fmt::format("{}{}{}", model.program, command_of_own_name(model).empty() ? " " : "_", command);
}

std::string invocation(const ModelDescription& model, std::string_view command) {
  const char* binary = std::getenv("CNNC_BINARY");
  const char* spec = std::getenv("CNNC_SPEC");
  if (binary == nullptr || spec == nullptr) return command_text(model, command);
  return fmt::format("{} {} {}", binary, command, spec);
}

}  // namespace cnn::program
