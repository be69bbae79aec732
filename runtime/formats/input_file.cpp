// Reading through POSIX calls, which say why something fails.
#include "formats/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "formats/format_error.hpp"

namespace cnn::formats {
namespace {

std::string reason(int error) {
  return std::generic_category().message(error);
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& file) : path_(file) {
  // Without O_NONBLOCK, opening a pipe would wait for somebody to write.
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0)
    throw FormatError(file, errno == ENOENT ? "not found" : "can't be read: " + reason(errno));
  struct stat status {};
  const int error = fstat(descriptor_, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  ::close(descriptor_);
  throw FormatError(file, error != 0                ? "can't be read: " + reason(error)
                          : S_ISDIR(status.st_mode) ? "is a directory, not a file"
                                                    : "is not a regular file");
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

std::size_t InputFile::read(std::span<std::byte> destination) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  std::size_t done = 0;
  while (done < destination.size()) {
    const ssize_t count =
        ::read(descriptor_, destination.data() + done, std::min(destination.size() - done, kMost));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw FormatError(path_, "can't be read: " + reason(errno));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void InputFile::read_all(std::span<std::byte> destination) {
  const std::size_t count = read(destination);
  if (count < destination.size())
    throw FormatError(path_, fmt::format("ends early: {} bytes are missing", destination.size() - count));
}

}  // namespace cnn::formats
