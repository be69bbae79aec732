// Text files, whole or not at all.
#include "support/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cnnc {

namespace {

constexpr std::size_t kLargestFile = 64 << 20;

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

std::string error_text() {
  return std::strerror(errno);
}

std::string write_whole(const std::filesystem::path& temporary, const std::string& text) {
  const Descriptor file{open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
  if (file.number < 0) return error_text();
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = write(file.number, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return error_text();
    written += static_cast<std::size_t>(count);
  }
  return fsync(file.number) < 0 ? error_text() : "";
}

}  // namespace

ReadResult read_text(const std::filesystem::path& path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) return {false, "", error_text()};
  ReadResult result{true, "", ""};
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = read(file.number, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {false, "", error_text()};
    if (count == 0) return result;
    result.text.append(buffer, static_cast<std::size_t>(count));
    if (result.text.size() > kLargestFile) return {false, "", "it is larger than 64 MiB"};
  }
}

std::string write_text_if_changed(const std::filesystem::path& path, const std::string& text) {
  const ReadResult present = read_text(path);
  if (present.ok && present.text == text) return "";
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  const std::filesystem::path temporary = fmt::format("{}.{}.tmp", path.string(), getpid());
  std::string wrong = write_whole(temporary, text);
  if (wrong.empty()) {
    // A file that is replaced keeps its permissions.
    const auto old = std::filesystem::status(path, error);
    if (std::filesystem::exists(old)) std::filesystem::permissions(temporary, old.permissions(), error);
    std::filesystem::rename(temporary, path, error);
    if (error) wrong = error.message();
  }
  if (!wrong.empty()) std::filesystem::remove(temporary, error);
  return wrong;
}

}  // namespace cnnc
