// A tiny data set: three classes of 4x4 images, told by their brightness.
#include "levels.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace {

void add_word(std::vector<std::uint8_t>& bytes, std::uint32_t word) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  // In memory where that is to be had: these tests save thousands of states, and each waits for the disk.
  const bool in_memory =
      access("/dev/shm", W_OK) == 0 && std::filesystem::space("/dev/shm").available > (1u << 24);
  const std::filesystem::path parent = in_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
  std::string name = (parent / "cnn-program-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::uint8_t> idx_images(int count, int first) {
  std::vector<std::uint8_t> bytes;
  add_word(bytes, 0x00000803);
  add_word(bytes, static_cast<std::uint32_t>(count));
  add_word(bytes, 4);
  add_word(bytes, 4);
  for (int image = first; image < first + count; ++image)
    for (int pixel = 0; pixel < 16; ++pixel)
      bytes.push_back(static_cast<std::uint8_t>(image % 3 * 70 + (image * 31 + pixel * 17) * 13 % 90));
  return bytes;
}

std::vector<std::uint8_t> idx_labels(int count, int first) {
  std::vector<std::uint8_t> bytes;
  add_word(bytes, 0x00000801);
  add_word(bytes, static_cast<std::uint32_t>(count));
  for (int image = first; image < first + count; ++image)
    bytes.push_back(static_cast<std::uint8_t>(image % 3));
  return bytes;
}

void write_bytes(const std::string& file, const std::vector<std::uint8_t>& bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream) throw std::runtime_error("cannot write " + file);
}

void write_levels(const std::string& folder, int train, int test) {
  std::filesystem::create_directories(folder);
  write_bytes(folder + "/train-images-idx3-ubyte", idx_images(train, 0));
  write_bytes(folder + "/train-labels-idx1-ubyte", idx_labels(train, 0));
  write_bytes(folder + "/t10k-images-idx3-ubyte", idx_images(test, train));
  write_bytes(folder + "/t10k-labels-idx1-ubyte", idx_labels(test, train));
}
