// The two files that torch.save writes. Since 1.6: a ZIP archive with NAME/data.pkl and a storage each in
// NAME/data/KEY. Before: five pickles one after the other, then the storages' numbers.
#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "formats/format_error.hpp"
#include "formats/pytorch_tensors.hpp"
#include "formats/safetensors_header.hpp"
#include "formats/strided_tensor.hpp"
#include "formats/zip_archive.hpp"

namespace cnn::formats {
namespace {

using Bytes = std::span<const std::byte>;

// Protocol 2, a number of 10 bytes: 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr std::int64_t kLegacyProtocol = 1001;

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Runs `read`, and says of which file its errors are.
template <class Read>
auto of_file(const std::filesystem::path& file, Read&& read) {
  try {
    return read();
  } catch (const PickleError& error) {
    throw FormatError(file, fmt::format("can't be used: {}", error.what()));
  }
}

/// Everything that a list of tensors of an archive lies in.
struct ArchiveMemory {
  explicit ArchiveMemory(std::shared_ptr<const FileBytes> file_bytes)
      : bytes(std::move(file_bytes)), archive(bytes->file(), bytes->all()) {}
  std::shared_ptr<const FileBytes> bytes;
  ZipArchive archive;
};

/// The folder of the archive that everything is in, with its '/'.
std::string folder_of(const ZipArchive& archive, const std::filesystem::path& file) {
  constexpr std::string_view kPickle = "data.pkl";
  for (const ZipEntry& entry : archive.entries()) {
    const std::size_t slash = entry.name.find('/');
    if (slash == std::string::npos || entry.name.substr(slash + 1) != kPickle) continue;
    std::string folder = entry.name.substr(0, slash + 1);
    if (archive.find(folder + "constants.pkl") != nullptr)
      throw FormatError(file,
                        "is a TorchScript program (torch.jit.save); save its weights alone: "
                        "torch.save(torch.jit.load(FILE).state_dict(), OTHER_FILE)");
    return folder;
  }
  throw FormatError(file, "is a ZIP archive, but not one of torch.save: it has no NAME/data.pkl");
}

Storages read_archive_storages(ZipArchive& archive, const std::string& folder, const Pickle& pickle) {
  Storages storages;
  for (const auto& [key, claim] : storage_claims(pickle)) {
    const ZipEntry* entry = archive.find(fmt::format("{}data/{}", folder, key));
    if (entry == nullptr) throw PickleError(fmt::format("storage '{}' is missing", key));
    const std::uint64_t expected = static_cast<std::uint64_t>(claim.count) * type_bytes(claim.type);
    if (entry->size != expected)
      throw PickleError(
          fmt::format("storage '{}' should have {} bytes and has {}", key, expected, entry->size));
    storages.emplace(key, archive.contents(*entry));
  }
  return storages;
}

/// The pickles and the storages of a legacy file, one after the other.
class LegacyReader {
 public:
  explicit LegacyReader(Bytes bytes) : bytes_(bytes) {}

  Pickle read(Storages& storages) {
    place_ = kLegacyMagic.size();
    const Pickle protocol = next();
    if (protocol.root().kind != PickleKind::kInteger || protocol.root().integer != kLegacyProtocol)
      throw PickleError(
          fmt::format("its version is {}, and only {} is known", describe(protocol.root()), kLegacyProtocol));
    const Pickle system = next();
    const PickleValue* order = system.find(system.root(), "little_endian");
    if (order == nullptr || order->kind != PickleKind::kBool || order->integer == 0)
      throw PickleError("its numbers are big-endian, and only little-endian ones are read");
    Pickle objects = next();
    keys_ = next();
    if (keys_.root().kind != PickleKind::kList) throw PickleError("its list of storages is missing");
    read_storages(objects, storages);
    return objects;
  }

 private:
  Pickle next() { return read_pickle(bytes_, place_, pytorch_globals()); }

  void read_storages(const Pickle& objects, Storages& storages) {
    const auto claims = storage_claims(objects);
    for (const PickleId id : keys_.root().items) {
      const auto claim = claims.find(keys_.value(id).text);
      if (claim == claims.end()) throw PickleError("it has a storage that nothing refers to");
      const auto& [key, wanted] = *claim;
      const auto count = std::bit_cast<std::int64_t>(take_eight(key));
      if (count != wanted.count)
        throw PickleError(
            fmt::format("storage '{}' should have {} numbers and has {}", key, wanted.count, count));
      const std::uint64_t bytes = static_cast<std::uint64_t>(count) * type_bytes(wanted.type);
      if (bytes > bytes_.size() - place_)
        throw PickleError(fmt::format("storage '{}' should have {} bytes, but the file ends after {}", key,
                                      bytes, bytes_.size() - place_));
      if (!storages.emplace(key, bytes_.subspan(place_, bytes)).second)
        throw PickleError(fmt::format("storage '{}' is there twice", key));
      place_ += bytes;
    }
    for (const auto& [key, claim] : claims)
      if (!storages.contains(key)) throw PickleError(fmt::format("storage '{}' is missing", key));
  }

  std::uint64_t take_eight(std::string_view key) {
    std::uint64_t number = 0;
    if (bytes_.size() - place_ < sizeof number)
      throw PickleError(fmt::format("the file ends before storage '{}'", key));
    std::memcpy(&number, bytes_.data() + place_, sizeof number);
    place_ += sizeof number;
    return number;
  }

  Bytes bytes_;
  std::size_t place_ = 0;
  Pickle keys_;
};

}  // namespace

bool is_pytorch_archive(Bytes bytes) {
  return begins_with(bytes, "PK\x03\x04");
}

bool is_pytorch_legacy(Bytes bytes) {
  return begins_with(bytes, kLegacyMagic);
}

TensorList read_pytorch_archive(std::shared_ptr<const FileBytes> bytes) {
  const std::filesystem::path file = bytes->file();
  const auto memory = std::make_shared<ArchiveMemory>(std::move(bytes));
  ZipArchive& archive = memory->archive;
  const std::string folder = folder_of(archive, file);
  if (const ZipEntry* order = archive.find(folder + "byteorder"))
    if (as_text(archive.contents(*order)) != "little")
      throw FormatError(file,
                        "can't be used: its numbers are big-endian, and only little-endian ones are read");
  const Bytes pickled = archive.contents(*archive.find(folder + "data.pkl"));
  TensorList list{.format = "PyTorch (ZIP)", .metadata = {}, .tensors = {}, .notes = {}, .memory = memory};
  of_file(file, [&] {
    std::size_t place = 0;
    const Pickle pickle = read_pickle(pickled, place, pytorch_globals());
    read_state_dictionary(pickle, read_archive_storages(archive, folder, pickle), list);
  });
  return list;
}

TensorList read_pytorch_legacy(std::shared_ptr<const FileBytes> bytes) {
  TensorList list{
      .format = "PyTorch (before 1.6)", .metadata = {}, .tensors = {}, .notes = {}, .memory = bytes};
  of_file(bytes->file(), [&] {
    Storages storages;
    const Pickle pickle = LegacyReader(bytes->all()).read(storages);
    read_state_dictionary(pickle, storages, list);
  });
  return list;
}

}  // namespace cnn::formats
