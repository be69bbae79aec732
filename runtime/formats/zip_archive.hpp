// ZIP archives in memory: what torch.save writes since PyTorch 1.6. Only reading; entries stored or deflated.
// Inside of formats only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cnn::formats {

struct ZipEntry {
  std::string name;
  int method = 0;                     // 0 stored, 8 deflated
  std::uint32_t checksum = 0;         // CRC-32 of the contents
  std::uint64_t size = 0;             // bytes of the contents, as claimed
  std::span<const std::byte> packed;  // as it stands in the file
  std::uint64_t begin = 0, end = 0;   // bytes of the file that it takes, its own header included
};

/// An archive whose directory holds together: every entry lies in the file, none overlaps another or the
/// directory, no name is there twice. `bytes` must outlive it.
class ZipArchive {
 public:
  /// Throws FormatError where that is not so.
  ZipArchive(const std::filesystem::path& file, std::span<const std::byte> bytes);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  /// Nothing where there is none of that name.
  const ZipEntry* find(std::string_view name) const;
  /// An entry's contents, checked against its checksum, as long as the archive lives. Throws FormatError
  /// where they are damaged, encrypted, packed by another method, or grow out of all proportion to the file.
  std::span<const std::byte> contents(const ZipEntry& entry);

 private:
  [[noreturn]] void fail(const std::string& problem) const;
  std::span<const std::byte> inflate(const ZipEntry& entry);

  std::filesystem::path file_;
  std::span<const std::byte> bytes_;
  std::vector<ZipEntry> entries_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::vector<std::unique_ptr<std::byte[]>> inflated_;
  std::uint64_t inflated_bytes_ = 0;
};

}  // namespace cnn::formats
