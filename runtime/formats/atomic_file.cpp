// A partial file beside the real one, locked while it is written, synchronised, and renamed over it.
#include "formats/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "formats/format_error.hpp"

namespace cnn::formats {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// Whether the partial file that `descriptor` locked is still the one of that name: another process may have
/// renamed it between our opening and our locking.
bool is_at(int descriptor, const fs::path& path) {
  struct stat opened {
  }, named{};
  return fstat(descriptor, &opened) == 0 && lstat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

int open_locked(const fs::path& file, const fs::path& partial) {
  for (;;) {
    const int descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0) throw FormatError(file, "can't be written: " + reason(errno));
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(descriptor);
      throw FormatError(
          file, error == EWOULDBLOCK ? "another process is writing it" : "can't be locked: " + reason(error));
    }
    if (is_at(descriptor, partial)) return descriptor;
    ::close(descriptor);
  }
}

/// Brings the folder's entries to the disk. File systems that can't do that for folders (EINVAL) have nothing
/// to do.
int synchronize_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno == EACCES ? 0 : errno;
  const int error = fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  ::close(descriptor);
  return error;
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& file)
    : file_(file), partial_(folder_of(file) / ("." + file.filename().string() + ".partial")) {
  if (!file.has_filename()) throw FormatError(file, "is not a file's name");
  if (fs::is_directory(file)) throw FormatError(file, "can't be written: it is a directory");
  descriptor_ = open_locked(file_, partial_);
  if (ftruncate(descriptor_, 0) != 0) fail("can't be written", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::unlink(partial_.c_str());
  ::close(descriptor_);
}

void AtomicFile::fail(const char* action, int error) {
  ::unlink(partial_.c_str());
  ::close(descriptor_);
  descriptor_ = -1;
  throw FormatError(file_, std::string(action) + ": " + reason(error));
}

void AtomicFile::write(std::string_view bytes) {
  constexpr std::size_t kMost = std::size_t{1} << 30;  // Linux writes less than 2 GiB at once
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kMost));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("can't be written", errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::span<const float> values) {
  write(std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) fail("can't be brought to the disk", errno);
  if (std::rename(partial_.c_str(), file_.c_str()) != 0) fail("can't be replaced", errno);
  ::close(descriptor_);
  descriptor_ = -1;
  if (const int error = synchronize_folder(folder_of(file_)); error != 0)
    throw FormatError(folder_of(file_), "can't be brought to the disk: " + reason(error));
}

void write_file_atomically(const fs::path& file, std::string_view bytes) {
  AtomicFile output(file);
  output.write(bytes);
  output.commit();
}

}  // namespace cnn::formats
