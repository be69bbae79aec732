// Files that claim what is not so, ask for too much, or were cut and changed: refused in words, without
// taking memory that the file does not account for.
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "formats/pickle.hpp"
#include "formats/zip_archive.hpp"
#include "weights_fixture.hpp"

namespace cnn::formats {
namespace {

using namespace cnn_tests;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

class HostileWeights : public Weights {
 protected:
  std::string refusal_of_tensor(const PickledTensor& tensor) {
    const std::string pickle = pickled_state({tensor});
    const std::string text = refusal(archive_file(pickle, kSixStorage));
    EXPECT_EQ(refusal(legacy_file(pickle, kSixStorage)), text);
    return text;
  }
};

TEST_F(HostileWeights, TensorsThatLeaveTheirStorage) {
  const std::string does_not_fit = " does not fit its storage of 6 numbers";
  PickledTensor tensor = matrix();
  tensor.extents = {2, 4}, tensor.strides = {4, 1};
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: tensor 'w' of 2x4" + does_not_fit);
  tensor = matrix(), tensor.offset = 1;
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: tensor 'w' of 2x3" + does_not_fit);
  tensor = matrix(), tensor.offset = kHuge;
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: tensor 'w' of 2x3" + does_not_fit);
  tensor = matrix(), tensor.strides = {kHuge, kHuge};
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: tensor 'w' of 2x3" + does_not_fit);
  tensor = matrix(), tensor.extents = {kHuge, kHuge};
  EXPECT_EQ(refusal_of_tensor(tensor),
            "can't be used: tensor 'w' of 9223372036854775807x9223372036854775807" + does_not_fit);
  tensor = matrix(), tensor.extents = {0}, tensor.strides = {1}, tensor.offset = 7;
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: tensor 'w' of 0" + does_not_fit);
  tensor = matrix(), tensor.extents = {1 << 30}, tensor.strides = {0};
  EXPECT_EQ(refusal_of_tensor(tensor),
            "can't be used: tensor 'w' of 1073741824 repeats the 6 numbers of its storage");
  tensor = matrix(), tensor.extents = {-2, 3};
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: one extent of tensor 'w' is the number -2");
  tensor = matrix(), tensor.strides = {3};
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: tensor 'w' has 2 extents and 1 strides");
  tensor = matrix(), tensor.extents.assign(17, 1), tensor.strides.assign(17, 1);
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: tensor 'w' has 17 extents; 16 are the most");
}

TEST_F(HostileWeights, StoragesThatAreNotAsTheyShouldBe) {
  PickledTensor tensor = matrix();
  tensor.count = kHuge;
  EXPECT_EQ(refusal_of_tensor(tensor), "can't be used: storage '0' has 9223372036854775807 numbers");
  tensor.count = 1'000'000'000;
  EXPECT_EQ(refusal(archive_file(pickled_state({tensor}), kSixStorage)),
            "can't be used: storage '0' should have 4000000000 bytes and has 24");
  EXPECT_EQ(refusal(legacy_file(pickled_state({tensor}), kSixStorage)),
            "can't be used: storage '0' should have 1000000000 numbers and has 6");
  EXPECT_EQ(refusal(legacy_file(pickled_state({tensor}), {{"0", "abcd", 1'000'000'000}})),
            "can't be used: storage '0' should have 4000000000 bytes, but the file ends after 4");
  tensor = matrix(), tensor.key = "1";
  EXPECT_EQ(refusal(archive_file(pickled_state({tensor}), kSixStorage)),
            "can't be used: storage '1' is missing");
  EXPECT_EQ(refusal(legacy_file(pickled_state({tensor}), {})), "can't be used: storage '1' is missing");
  EXPECT_EQ(refusal(legacy_file(pickled_state({tensor}), kSixStorage)),
            "can't be used: it has a storage that nothing refers to");
  PickledTensor other = matrix("v");
  other.storage = "DoubleStorage";
  EXPECT_EQ(refusal(archive_file(pickled_state({matrix(), other}), kSixStorage)),
            "can't be used: storage '0' is described in two ways");
}

TEST_F(HostileWeights, ManyTensorsOverOneStorage) {
  std::vector<PickledTensor> tensors;
  const std::vector<float> numbers(10'000);
  for (int i = 0; i < 40; ++i)
    tensors.push_back(
        {.name = std::to_string(i), .extents = {10'000}, .strides = {1}, .key = "0", .count = 10'000});
  EXPECT_EQ(refusal(archive_file(pickled_state(tensors), {{"0", storage_bytes(numbers), 10'000}})),
            "can't be used: its tensors take 1600000 bytes, but share 40000 bytes of storages");
}

TEST_F(HostileWeights, NamesThatAreNone) {
  EXPECT_EQ(refusal(archive_file(pickled_state({matrix("\xff\xfe")}), kSixStorage)),
            "can't be used: the name of its tensor 1 is not UTF-8");
  EXPECT_EQ(refusal(archive_file(pickled_state({matrix(), matrix()}), kSixStorage)),
            "can't be used: two of its tensors are called 'w'");
  Pickler pickler;
  pickler.raw("}").integer(7);
  add_tensor(pickler, matrix());
  EXPECT_EQ(refusal(archive_file(pickler.raw("s").done(), kSixStorage)),
            "can't be used: a tensor is named by the number 7, not by a text");
}

// ---------- archives ----------

TEST_F(HostileWeights, ArchivesThatDoNotHoldTogether) {
  const std::string sound = archive_file(pickled_state({matrix()}), kSixStorage);
  const std::string not_sound = "is not a sound ZIP archive: ";
  EXPECT_EQ(refusal(sound.substr(0, sound.size() - 30)),
            not_sound + "its directory is missing, so it was probably cut off");
  std::string damaged = sound;
  damaged[sound.find(storage_bytes(kSix))] ^= 1;
  EXPECT_EQ(refusal(damaged), not_sound + "its entry 'net/data/0' is damaged");
  EXPECT_EQ(refusal(zip_bytes({{"a", "1", false, 0}, {"a", "2", false, 0}})),
            not_sound + "its entry 'a' is there twice");
  EXPECT_EQ(refusal(zip_bytes({{"a/b", "1", false, 0}})),
            "is a ZIP archive, but not one of torch.save: it has no NAME/data.pkl");
  EXPECT_EQ(refusal(zip_bytes({{"a/data.pkl", "", false, 0}, {"a/constants.pkl", "", false, 0}})),
            "is a TorchScript program (torch.jit.save); save its weights alone: "
            "torch.save(torch.jit.load(FILE).state_dict(), OTHER_FILE)");

  // The second entry's place in the directory is made that of the first.
  std::string overlapping = zip_bytes({{"a", "12345678", false, 0}, {"a", "12345678", false, 0}});
  const std::size_t second = overlapping.rfind("PK\x01\x02");
  overlapping.replace(second + 42, 4, bytes_of(std::uint32_t{0}));
  EXPECT_EQ(refusal(overlapping), not_sound + "its entries 'a' and 'a' overlap");
  std::string outside = sound;
  outside.replace(outside.find("PK\x01\x02") + 20, 4, bytes_of(std::uint32_t{0x7fffffff}));
  EXPECT_EQ(refusal(outside), not_sound + "its entry 'net/data.pkl' lies outside of the file");
}

TEST_F(HostileWeights, EntriesThatGrow) {
  const std::string not_sound = "is not a sound ZIP archive: ";
  const std::string zeros(100'000'000, '\0');
  const std::string bomb = zip_bytes({{"a/data.pkl", zeros, true, 0}});
  EXPECT_LT(bomb.size(), 200'000u);
  EXPECT_EQ(refusal(bomb),
            not_sound +
                "its entry 'a/data.pkl' would grow to 100000000 bytes, out of proportion to the file's " +
                std::to_string(bomb.size()));
  EXPECT_EQ(refusal(zip_bytes({{"a/data.pkl", "N.", true, 0xfffffffe}})).substr(0, not_sound.size() + 30),
            not_sound + "its entry 'a/data.pkl' would g");
  EXPECT_EQ(refusal(zip_bytes({{"a/data.pkl", "N.", true, 100}})),
            not_sound + "its entry 'a/data.pkl' is damaged");
  EXPECT_EQ(refusal(zip_bytes({{"a/data.pkl", "N.", true, 1}})),
            not_sound + "its entry 'a/data.pkl' is damaged");
  EXPECT_EQ(refusal(zip_bytes({{"a/data.pkl", "N.", false, 100}})),
            not_sound + "its entry 'a/data.pkl' should have 100 bytes and has 2");
}

// ---------- pickles ----------

std::string error_of_pickle(const std::string& bytes) {
  std::size_t position = 0;
  const std::span<const std::byte> span = std::as_bytes(std::span(bytes));
  return error_of<PickleError>([&] { read_pickle(span, position, {}); });
}

TEST(HostilePickles, AreRefused) {
  EXPECT_EQ(error_of_pickle(""), "its pickle ends early (at byte 0)");
  EXPECT_EQ(error_of_pickle("(lp0\n."), "its pickle does not begin with a protocol (at byte 1)");
  EXPECT_EQ(error_of_pickle("\x80\x09N."),
            "its pickle has protocol 9; protocols 2 to 5 can be read (at byte 2)");
  EXPECT_EQ(error_of_pickle("\x80\x02."), "its pickle takes a value where there is none (at byte 3)");
  EXPECT_EQ(error_of_pickle("\x80\x02NN."), "its pickle leaves values behind (at byte 5)");
  EXPECT_EQ(error_of_pickle("\x80\x02(0."), "its pickle takes a value where there is none (at byte 5)");
  EXPECT_EQ(error_of_pickle("\x80\x02t."), "its pickle goes back to a mark that is not there (at byte 3)");
  EXPECT_EQ(error_of_pickle("\x80\x02h\x05."),
            "its pickle recalls the value 5, which it never kept (at byte 4)");
  EXPECT_EQ(error_of_pickle("\x80\x02}Na."), "its pickle puts items into a dictionary (at byte 5)");
  EXPECT_EQ(error_of_pickle("\x80\x02}(Nu."), "its pickle has a key without a value (at byte 6)");
  EXPECT_EQ(error_of_pickle("\x80\x02\xff."), "its pickle has the unknown instruction 0xff (at byte 3)");
  EXPECT_EQ(error_of_pickle("\x80\x02X\xff\xff\xff\x7fx"), "its pickle ends early (at byte 7)");
  EXPECT_EQ(error_of_pickle(Pickler{}.raw("\x8f").done()),
            "its pickle holds a set; a weights file needs none, and sets are not read (at byte 3)");
  EXPECT_EQ(error_of_pickle(Pickler{}.global("os\x1b[31m", "system").done()).substr(0, 40),
            "it asks for 'os?[31m.system', and only d");
}

TEST(HostilePickles, DeepAndWideOnesTakeLittle) {
  // A million lists, each in the one before.
  std::string deep = "\x80\x02";
  for (int i = 0; i < 1'000'000; ++i) deep += ']';
  for (int i = 1; i < 1'000'000; ++i) deep += 'a';
  deep += '.';
  std::size_t position = 0;
  EXPECT_EQ(read_pickle(std::as_bytes(std::span(deep)), position, {}).root().kind, PickleKind::kList);

  // A list that holds itself.
  const std::string circle =
      Pickler{}.raw("]q").raw(std::string(1, '\0')).raw("h").raw(std::string(1, '\0')).raw("a").done();
  position = 0;
  const Pickle pickle = read_pickle(std::as_bytes(std::span(circle)), position, {});
  EXPECT_EQ(pickle.root().items, std::vector<PickleId>{pickle.root_id});

  // A long tuple as the arguments of many calls: each call would copy it.
  Pickler bomb;
  bomb.raw("(");
  for (int i = 0; i < 10'000; ++i) bomb.raw("N");
  bomb.raw("tq").raw(std::string(1, '\0'));
  for (int i = 0; i < 10'000; ++i) bomb.global("a", "b").raw("h").raw(std::string(1, '\0')).raw("R");
  const std::string bytes = bomb.done();
  constexpr std::string_view kAllowed[] = {"a.b"};
  position = 0;
  EXPECT_NE(error_of<PickleError>([&] {
              read_pickle(std::as_bytes(std::span(bytes)), position, kAllowed);
            }).find("copies more than 4000000 values"),
            std::string::npos);
}

// ---------- damage ----------

/// Reads whatever can be read of a file; only FormatError may come out of it.
int survive(const std::filesystem::path& path) {
  try {
    const WeightsFile file(path);
    std::vector<float> values;
    for (std::size_t i = 0; i < file.tensors().size(); ++i) {
      values.resize(static_cast<std::size_t>(file.tensors()[i].count));
      if (file.tensors()[i].is_float()) file.read(i, values);
    }
    return 0;
  } catch (const FormatError&) {
    return 1;
  }
}

TEST_F(HostileWeights, ChangedBytesNeverCrash) {
  PickledTensor half = matrix("half.weight");
  half.key = "1", half.storage = "HalfStorage";
  const std::string pickle = pickled_state({matrix("module.a.weight"), half, matrix("b")});
  const std::vector<Storage> storages{{"0", storage_bytes(kSix), 6},
                                      {"1", storage_bytes(std::vector<std::uint16_t>(6, 0x3c00)), 6}};
  write_safetensors(folder_ / "s", {{"k", "v"}},
                    std::vector<TensorView>{{"w", {2, 3}, kSix}, {"v", {6}, kSix}});
  std::mt19937 random(1);
  int refused = 0, read = 0;
  for (const std::string& sound : {archive_file(pickle, storages), archive_file(pickle, storages, true),
                                   legacy_file(pickle, storages), read_file(folder_ / "s")}) {
    for (int round = 0; round < 2500; ++round) {
      std::string bytes = sound;
      const auto place = [&] {
        return std::uniform_int_distribution<std::size_t>(0, bytes.size() - 1)(random);
      };
      const int changes = 1 + static_cast<int>(random() % 3);
      for (int i = 0; i < changes; ++i) {
        switch (random() % 5) {
          case 0:
            bytes[place()] = static_cast<char>(random());
            break;
          case 1:
            bytes[place()] ^= static_cast<char>(1 << (random() % 8));
            break;
          case 2:
            bytes[place()] = static_cast<char>(random() % 2 == 0 ? 0xff : 0x7f);
            break;
          case 3:
            bytes.erase(place(), 1 + random() % 8);
            break;
          default:
            bytes.insert(place(), bytes.substr(place(), 1 + random() % 16));
            break;
        }
        if (bytes.empty()) bytes = sound;
      }
      write_file(folder_ / "w.pth", bytes);
      ++(survive(folder_ / "w.pth") == 0 ? read : refused);
    }
    for (std::size_t length = 0; length < sound.size(); length += 3) {
      write_file(folder_ / "w.pth", sound.substr(0, length));
      EXPECT_EQ(survive(folder_ / "w.pth"), 1) << "cut to " << length << " bytes";
    }
  }
  EXPECT_GT(refused, 2000);
  EXPECT_GT(read, 100) << "changes that hit names and numbers do no harm";
}

}  // namespace
}  // namespace cnn::formats
