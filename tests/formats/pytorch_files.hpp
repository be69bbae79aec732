// Files as torch.save writes them, and as it never would, put together by hand.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace cnn_tests {

/// A number's bytes, little-endian.
template <class Number>
std::string bytes_of(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

/// The instructions of a pickle of protocol 2, one after the other.
struct Pickler {
  std::string bytes = "\x80\x02";

  Pickler& raw(std::string_view more) { return bytes += more, *this; }
  Pickler& global(std::string_view module, std::string_view name) {
    return raw("c").raw(module).raw("\n").raw(name).raw("\n");
  }
  Pickler& text(std::string_view value) {
    return raw("X").raw(bytes_of(static_cast<std::uint32_t>(value.size()))).raw(value);
  }
  Pickler& integer(std::int32_t value) { return raw("J").raw(bytes_of(value)); }
  Pickler& wide(std::int64_t value) { return raw("\x8a\x08").raw(bytes_of(value)); }
  Pickler& numbers(const std::vector<std::int64_t>& values) {
    raw("(");
    for (const std::int64_t value : values) wide(value);
    return raw("t");
  }
  std::string done() { return bytes + "."; }
};

/// A tensor as a pickle describes it; what it claims need not be so.
struct PickledTensor {
  std::string name;
  std::vector<std::int64_t> extents, strides;
  std::int64_t offset = 0;
  std::string key = "0";
  std::int64_t count = 0;  // of the storage
  std::string storage = "FloatStorage";
};

inline void add_tensor(Pickler& pickler, const PickledTensor& tensor) {
  pickler.global("torch._utils", "_rebuild_tensor_v2").raw("(");
  pickler.raw("(")
      .text("storage")
      .global("torch", tensor.storage)
      .text(tensor.key)
      .text("cpu")
      .wide(tensor.count)
      .raw("tQ");
  pickler.wide(tensor.offset).numbers(tensor.extents).numbers(tensor.strides);
  pickler.raw("\x89").global("collections", "OrderedDict").raw(")R").raw("tR");
}

/// An OrderedDict of tensors, with the attribute that state_dict() gives it.
inline std::string pickled_state(const std::vector<PickledTensor>& tensors) {
  Pickler pickler;
  pickler.global("collections", "OrderedDict").raw(")R(");
  for (const PickledTensor& tensor : tensors) {
    pickler.text(tensor.name);
    add_tensor(pickler, tensor);
  }
  return pickler.raw("u}").text("_metadata").raw("}sb").done();
}

struct PackedFile {
  std::string name, contents;
  bool deflated = false;
  std::uint64_t claimed = 0;  // bytes that the archive says it has, where that is not so
};

inline std::string deflate(const std::string& contents) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, contents.size()), '\0');
  std::string input = contents;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// A ZIP archive.
inline std::string zip_bytes(const std::vector<PackedFile>& files) {
  std::string all, directory;
  const auto number = [](auto value) { return bytes_of(value); };
  for (const PackedFile& file : files) {
    const std::string packed = file.deflated ? deflate(file.contents) : file.contents;
    const auto checksum = static_cast<std::uint32_t>(crc32(
        0, reinterpret_cast<const Bytef*>(file.contents.data()), static_cast<uInt>(file.contents.size())));
    const std::uint64_t size = file.claimed != 0 ? file.claimed : file.contents.size();
    const std::string common =
        number(std::uint16_t{20}) + number(std::uint16_t{0}) +
        number(static_cast<std::uint16_t>(file.deflated ? 8 : 0)) + number(std::uint32_t{0}) +
        number(checksum) + number(static_cast<std::uint32_t>(packed.size())) +
        number(static_cast<std::uint32_t>(size)) + number(static_cast<std::uint16_t>(file.name.size())) +
        number(std::uint16_t{0});
    directory += std::string("PK\x01\x02") + number(std::uint16_t{20}) + common + number(std::uint16_t{0}) +
                 number(std::uint16_t{0}) + number(std::uint16_t{0}) + number(std::uint32_t{0}) +
                 number(static_cast<std::uint32_t>(all.size())) + file.name;
    all += std::string("PK\x03\x04") + common + file.name + packed;
  }
  const auto count = static_cast<std::uint16_t>(files.size());
  return all + directory + std::string("PK\x05\x06") + number(std::uint32_t{0}) + number(count) +
         number(count) + number(static_cast<std::uint32_t>(directory.size())) +
         number(static_cast<std::uint32_t>(all.size())) + number(std::uint16_t{0});
}

struct Storage {
  std::string key, bytes;
  std::int64_t count = 0;  // legacy files say it once more
};

/// A file of torch.save since version 1.6.
inline std::string archive_file(const std::string& pickle, const std::vector<Storage>& storages,
                                bool deflated = false) {
  std::vector<PackedFile> files{{"net/data.pkl", pickle, deflated, 0}};
  for (const Storage& storage : storages)
    files.push_back({"net/data/" + storage.key, storage.bytes, deflated, 0});
  files.push_back({"net/version", "3\n", false, 0});
  return zip_bytes(files);
}

/// A file of torch.save before that.
inline std::string legacy_file(const std::string& pickle, const std::vector<Storage>& storages) {
  const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  const std::string protocol = Pickler{}.integer(1001).done();
  const std::string system = Pickler{}.raw("}").text("little_endian").raw("\x88s").done();
  Pickler keys;
  keys.raw("](");
  for (const Storage& storage : storages) keys.text(storage.key);
  std::string all = magic + protocol + system + pickle + keys.raw("e").done();
  for (const Storage& storage : storages) all += bytes_of(storage.count) + storage.bytes;
  return all;
}

template <class Number>
std::string storage_bytes(const std::vector<Number>& numbers) {
  std::string bytes;
  for (const Number number : numbers) bytes += bytes_of(number);
  return bytes;
}

}  // namespace cnn_tests
