// Weights files of every format that is read, behind one value: PyTorch's .pth in both of its formats, and
// safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.hpp"

namespace cnn::formats {

struct TensorList;

/// A tensor as its file describes it.
struct StoredTensor {
  std::string name;
  std::string type;  // "F32", "F16", "BF16", "F64", "I64", ... as in safetensors
  std::vector<std::int64_t> extents;
  std::int64_t count = 0;  // numbers

  /// Whether its numbers can be read as float32.
  bool is_float() const { return type == "F32" || type == "F16" || type == "BF16" || type == "F64"; }
};

/// A file of named tensors, read whole. What it is is told by its content, never by its name.
class WeightsFile {
 public:
  /// Throws FormatError where the file can't be read, is of no format that is known, is damaged, or asks for
  /// anything but tensors.
  explicit WeightsFile(const std::filesystem::path& file);
  ~WeightsFile();
  WeightsFile(WeightsFile&&) noexcept;
  WeightsFile& operator=(WeightsFile&&) noexcept;

  const std::filesystem::path& path() const { return path_; }
  /// "safetensors", "PyTorch (ZIP)", "PyTorch (before 1.6)".
  std::string_view format() const;
  /// Of safetensors; empty for others.
  const Metadata& metadata() const;
  /// In the file's order: that of a state dictionary, or of the data in safetensors.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  /// What the user should know of how it was read: what was unwrapped, left out, is converted.
  const std::vector<std::string>& notes() const;
  /// Reads tensors()[index] as float32 into `values`, in row-major order; values.size() is its count. Throws
  /// FormatError where it is not of a float type, or holds NaN, infinity or what is too large for float32.
  void read(std::size_t index, std::span<float> values) const;
  /// Throws what read() would throw, and keeps nothing: so that all can be looked at before anything is
  /// changed.
  void check(std::size_t index) const;

 private:
  std::filesystem::path path_;
  std::unique_ptr<TensorList> list_;
  std::vector<StoredTensor> tensors_;
};

}  // namespace cnn::formats
