// After PKWARE's APPNOTE.TXT, with the 64-bit extension. The directory at the end of the file is what counts;
// each entry's own header must agree with it.
#include "formats/zip_archive.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "formats/format_error.hpp"

namespace cnn::formats {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50, kDirectoryHeader = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50;
constexpr std::size_t kEndBytes = 22, kDirectoryHeaderBytes = 46, kLocalHeaderBytes = 30;
// Weights hardly compress; what inflates to more than this many times the file is there to fill the memory.
constexpr std::uint64_t kMostGrowth = 16, kAlwaysAllowed = std::uint64_t{64} << 20;

/// Little-endian numbers of a part of the file whose bounds are checked.
template <class Number>
Number read(std::span<const std::byte> bytes, std::size_t place) {
  Number value{};
  std::memcpy(&value, bytes.subspan(place, sizeof value).data(), sizeof value);
  return value;
}

struct Directory {
  std::uint64_t begin = 0, bytes = 0, entries = 0;
};

class DirectoryReader {
 public:
  DirectoryReader(const std::filesystem::path& file, std::span<const std::byte> bytes)
      : file_(file), bytes_(bytes) {}

  std::vector<ZipEntry> read_entries() {
    const Directory directory = find_directory();
    std::span<const std::byte> rest = bytes_.subspan(directory.begin, directory.bytes);
    std::vector<ZipEntry> entries;
    while (rest.size() >= kDirectoryHeaderBytes && read<std::uint32_t>(rest, 0) == kDirectoryHeader)
      entries.push_back(read_entry(rest, directory.begin));
    if (!rest.empty() || entries.size() != directory.entries)
      fail(fmt::format("its directory should have {} entries, and {} can be read", directory.entries,
                       entries.size()));
    check_overlaps(entries);
    return entries;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw FormatError(file_, "is not a sound ZIP archive: " + problem);
  }

  /// The end's record stands at the end, before a comment of at most 65535 bytes.
  std::size_t find_end() const {
    if (bytes_.size() >= kEndBytes) {
      const std::size_t last = bytes_.size() - kEndBytes;
      const std::size_t first = last - std::min<std::size_t>(last, 0xffff);
      for (std::size_t place = last + 1; place-- > first;)
        if (read<std::uint32_t>(bytes_, place) == kEnd &&
            read<std::uint16_t>(bytes_, place + 20) == bytes_.size() - place - kEndBytes)
          return place;
    }
    fail("its directory is missing, so it was probably cut off");
  }

  Directory find_directory() const {
    const std::size_t end = find_end();
    Directory directory{.begin = read<std::uint32_t>(bytes_, end + 16),
                        .bytes = read<std::uint32_t>(bytes_, end + 12),
                        .entries = read<std::uint16_t>(bytes_, end + 10)};
    if (directory.begin == 0xffffffff || directory.bytes == 0xffffffff || directory.entries == 0xffff) {
      if (end < 20 || read<std::uint32_t>(bytes_, end - 20) != kEnd64Locator)
        fail("the 64-bit end of its directory is missing");
      const auto place = read<std::uint64_t>(bytes_, end - 20 + 8);
      if (place > end || end - place < 56 || read<std::uint32_t>(bytes_, place) != kEnd64)
        fail("the 64-bit end of its directory is not where it should be");
      directory = {.begin = read<std::uint64_t>(bytes_, place + 48),
                   .bytes = read<std::uint64_t>(bytes_, place + 40),
                   .entries = read<std::uint64_t>(bytes_, place + 32)};
    }
    if (directory.begin > end || directory.bytes > end - directory.begin)
      fail("its directory lies outside of the file");
    return directory;
  }

  /// Reads the entry at the start of `rest` and drops it from there.
  ZipEntry read_entry(std::span<const std::byte>& rest, std::uint64_t directory_begin) const {
    const std::size_t name_bytes = read<std::uint16_t>(rest, 28), extra_bytes = read<std::uint16_t>(rest, 30),
                      comment_bytes = read<std::uint16_t>(rest, 32);
    const std::size_t all = kDirectoryHeaderBytes + name_bytes + extra_bytes + comment_bytes;
    if (rest.size() < all) fail("its directory ends within an entry");
    ZipEntry entry;
    entry.name.assign(reinterpret_cast<const char*>(rest.data()) + kDirectoryHeaderBytes, name_bytes);
    const bool encrypted = (read<std::uint16_t>(rest, 8) & 1) != 0;
    entry.method = encrypted ? -1 : read<std::uint16_t>(rest, 10);
    entry.checksum = read<std::uint32_t>(rest, 16);
    std::uint64_t packed = read<std::uint32_t>(rest, 20), begin = read<std::uint32_t>(rest, 42);
    entry.size = read<std::uint32_t>(rest, 24);
    read_wide(rest.subspan(kDirectoryHeaderBytes + name_bytes, extra_bytes), {&entry.size, &packed, &begin});
    place(entry, begin, packed, directory_begin);
    rest = rest.subspan(all);
    return entry;
  }

  /// Fields of 32 bits that are all ones have their 64 bits in an extra field, in this order.
  void read_wide(std::span<const std::byte> extra, std::initializer_list<std::uint64_t*> fields) const {
    while (extra.size() >= 4) {
      const auto kind = read<std::uint16_t>(extra, 0);
      const std::size_t bytes = read<std::uint16_t>(extra, 2);
      if (bytes > extra.size() - 4) return;
      std::span<const std::byte> numbers = extra.subspan(4, bytes);
      for (std::uint64_t* field : fields) {
        if (kind != 1 || *field != 0xffffffff) continue;
        if (numbers.size() < 8) fail("an entry's 64-bit sizes are missing");
        *field = read<std::uint64_t>(numbers, 0);
        numbers = numbers.subspan(8);
      }
      extra = extra.subspan(4 + bytes);
    }
  }

  void place(ZipEntry& entry, std::uint64_t begin, std::uint64_t packed,
             std::uint64_t directory_begin) const {
    const auto outside = [&] { fail(fmt::format("its entry '{}' lies outside of the file", entry.name)); };
    if (begin > directory_begin || directory_begin - begin < kLocalHeaderBytes) outside();
    if (read<std::uint32_t>(bytes_, begin) != kLocalHeader)
      fail(fmt::format("its entry '{}' does not begin where the directory says", entry.name));
    const std::uint64_t name_bytes = read<std::uint16_t>(bytes_, begin + 26);
    const std::uint64_t data =
        begin + kLocalHeaderBytes + name_bytes + read<std::uint16_t>(bytes_, begin + 28);
    if (data > directory_begin || packed > directory_begin - data) outside();
    const std::string_view name(reinterpret_cast<const char*>(bytes_.data()) + begin + kLocalHeaderBytes,
                                name_bytes);
    if (name != entry.name)
      fail(fmt::format("its entry '{}' has another name in its own header", entry.name));
    entry.begin = begin;
    entry.end = data + packed;
    entry.packed = bytes_.subspan(data, packed);
  }

  void check_overlaps(const std::vector<ZipEntry>& entries) const {
    std::vector<const ZipEntry*> order;
    for (const ZipEntry& entry : entries) order.push_back(&entry);
    std::sort(order.begin(), order.end(),
              [](const ZipEntry* a, const ZipEntry* b) { return a->begin < b->begin; });
    for (std::size_t i = 1; i < order.size(); ++i)
      if (order[i]->begin < order[i - 1]->end)
        fail(fmt::format("its entries '{}' and '{}' overlap", order[i - 1]->name, order[i]->name));
  }

  const std::filesystem::path& file_;
  std::span<const std::byte> bytes_;
};

std::uint32_t checksum_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

ZipArchive::ZipArchive(const std::filesystem::path& file, std::span<const std::byte> bytes)
    : file_(file), bytes_(bytes), entries_(DirectoryReader(file, bytes).read_entries()) {
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (!places_.emplace(entries_[i].name, i).second)
      fail(fmt::format("its entry '{}' is there twice", entries_[i].name));
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &entries_[found->second];
}

std::span<const std::byte> ZipArchive::contents(const ZipEntry& entry) {
  if (entry.method < 0) fail(fmt::format("its entry '{}' is encrypted", entry.name));
  if (entry.method != 0 && entry.method != Z_DEFLATED)
    fail(fmt::format("its entry '{}' is packed by method {}; stored and deflated entries can be read",
                     entry.name, entry.method));
  if (entry.method == 0 && entry.size != entry.packed.size())
    fail(fmt::format("its entry '{}' should have {} bytes and has {}", entry.name, entry.size,
                     entry.packed.size()));
  const std::span<const std::byte> contents = entry.method == 0 ? entry.packed : inflate(entry);
  if (checksum_of(contents) != entry.checksum) fail(fmt::format("its entry '{}' is damaged", entry.name));
  return contents;
}

void ZipArchive::fail(const std::string& problem) const {
  throw FormatError(file_, "is not a sound ZIP archive: " + problem);
}

std::span<const std::byte> ZipArchive::inflate(const ZipEntry& entry) {
  const std::uint64_t most = kAlwaysAllowed + kMostGrowth * bytes_.size();
  if (entry.size > most - inflated_bytes_)
    fail(fmt::format("its entry '{}' would grow to {} bytes, out of proportion to the file's {}", entry.name,
                     entry.size, bytes_.size()));
  if (entry.packed.size() > std::numeric_limits<uInt>::max() || entry.size > std::numeric_limits<uInt>::max())
    fail(fmt::format("its entry '{}' is deflated and too large for that: 4 GiB is the most", entry.name));
  constexpr std::uint64_t kMostOfOneByte = 1032;  // that deflate can make of one
  if (entry.size > kMostOfOneByte * entry.packed.size())
    fail(fmt::format("its entry '{}' is damaged", entry.name));
  const std::span<std::byte> buffer(
      inflated_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(entry.size)).get(), entry.size);
  inflated_bytes_ += entry.size;
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(entry.packed.data()));
  stream.avail_in = static_cast<uInt>(entry.packed.size());
  Bytef nothing{};
  stream.next_out = buffer.empty() ? &nothing : reinterpret_cast<Bytef*>(buffer.data());
  stream.avail_out = static_cast<uInt>(buffer.size());
  const int status = ::inflate(&stream, Z_FINISH);
  const bool whole = status == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!whole) fail(fmt::format("its entry '{}' is damaged", entry.name));
  return buffer;
}

}  // namespace cnn::formats
