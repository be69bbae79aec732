// Files that are replaced whole or not at all: whatever happens on the way, the old contents or the new ones
// are there.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace cnn::formats {

/// A new version of a file, written beside it as ".NAME.partial" and put in its place by commit(). A process
/// that is killed leaves at most that partial file, which the next version overwrites. All errors are
/// FormatError, after which the old file is as it was and the partial one is gone.
class AtomicFile {
 public:
  /// Begins a version. Refuses where another process is just writing one.
  explicit AtomicFile(const std::filesystem::path& file);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void write(std::span<const float> values);
  /// Brings the bytes to the disk, then puts them in the file's place. Nothing may be written afterwards.
  void commit();

 private:
  [[noreturn]] void fail(const char* action, int error);

  std::filesystem::path file_, partial_;
  int descriptor_ = -1;
};

/// Replaces the contents of `file` by `bytes`.
void write_file_atomically(const std::filesystem::path& file, std::string_view bytes);

}  // namespace cnn::formats
