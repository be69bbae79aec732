// A tiny data set in IDX files, and a folder that goes away with the test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// A folder of its own for temporary files, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// An IDX file of images [count][4][4], or of labels, as bytes.
std::vector<std::uint8_t> idx_images(int count, int first);
std::vector<std::uint8_t> idx_labels(int count, int first);

/// Writes `train` and `test` images whose brightness says the class (0, 1, 2), with noise, into `folder`.
void write_levels(const std::string& folder, int train, int test);

void write_bytes(const std::string& file, const std::vector<std::uint8_t>& bytes);
