// Reads the header piece by piece as the JSON parser meets it: a tree of the whole would let a file of nested
// brackets take many times its size, and would hide names that repeat.
#include "formats/safetensors_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "formats/format_error.hpp"

namespace cnn::formats {
namespace {

constexpr std::string_view kMetadataName = "__metadata__";

/// Takes the parser's events. At depth 1 are names of tensors, at depth 2 their fields or the metadata, and
/// lists of numbers are at depth 3.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::filesystem::path& file) : file_(file) {}
  SafetensorsHeader take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (list_ != nullptr || depth_ >= 2) unexpected("an object");
    ++depth_;
    if (depth_ == 2) begin_entry();
    return true;
  }

  bool end_object() override {
    if (depth_ == 2 && name_ != kMetadataName) end_entry();
    --depth_;
    return true;
  }

  bool key(std::string& text) override {
    std::set<std::string, std::less<>>& seen = depth_ == 1 ? names_ : fields_;
    if (!seen.insert(text).second)
      fail(depth_ == 1 ? fmt::format("'{}' is there twice", text)
                       : fmt::format("'{}' has '{}' twice", name_, text));
    (depth_ == 1 ? name_ : field_) = text;
    return true;
  }

  bool string(std::string& text) override {
    if (depth_ == 2 && name_ == kMetadataName)
      header_.metadata.emplace(field_, text);
    else if (depth_ == 2 && list_ == nullptr && field_ == "dtype")
      entry_.type = text;
    else
      unexpected("a text");
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || name_ == kMetadataName || list_ != nullptr) unexpected("a list");
    if (field_ == "shape")
      list_ = &shape_;
    else if (field_ == "data_offsets")
      list_ = &offsets_;
    else
      unexpected("a list");
    return true;
  }

  bool end_array() override {
    list_ = nullptr;
    return true;
  }

  bool number_unsigned(std::uint64_t value) override {
    if (list_ == nullptr) unexpected(fmt::format("the number {}", value));
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      fail(fmt::format("'{}' has {} in its {}, which is too large", name_, value, field_));
    list_->push_back(value);
    return true;
  }

  bool number_integer(std::int64_t value) override { unexpected(fmt::format("the number {}", value)); }
  bool number_float(double, const std::string& text) override {
    unexpected(fmt::format("the number {}", text));
  }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a truth value"); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail(fmt::format("it is not valid JSON at byte {}", position));
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw FormatError(file_, "is not a safetensors file: in its header, " + problem);
  }

  [[noreturn]] void unexpected(const std::string& found) const {
    if (depth_ == 0) fail(fmt::format("{} stands where an object of tensors was expected", found));
    const std::string place =
        depth_ == 1 ? fmt::format("'{}'", name_) : fmt::format("'{}' of '{}'", field_, name_);
    fail(fmt::format("{} is {}", place, found));
  }

  void begin_entry() {
    fields_.clear();
    field_.clear();
    entry_ = {};
    shape_.clear();
    offsets_.clear();
  }

  void end_entry() {
    for (const char* field : {"dtype", "shape", "data_offsets"})
      if (!fields_.contains(field)) fail(fmt::format("tensor '{}' has no {}", name_, field));
    if (offsets_.size() != 2)
      fail(fmt::format("tensor '{}' has {} data_offsets instead of 2", name_, offsets_.size()));
    entry_.name = name_;
    entry_.extents.assign(shape_.begin(), shape_.end());
    entry_.begin = offsets_[0];
    entry_.end = offsets_[1];
    header_.tensors.push_back(std::move(entry_));
  }

  const std::filesystem::path& file_;
  SafetensorsHeader header_;
  int depth_ = 0;
  std::string name_, field_;
  std::set<std::string, std::less<>> names_, fields_;
  TensorEntry entry_;
  std::vector<std::uint64_t> shape_, offsets_;
  std::vector<std::uint64_t>* list_ = nullptr;  // the list that is being read
};

/// Bytes that a tensor's shape and type come to; nothing where that is more than 64 bits hold.
bool shape_bytes(const TensorEntry& tensor, std::uint64_t& bytes) {
  bytes = type_bytes(tensor.type);
  if (std::find(tensor.extents.begin(), tensor.extents.end(), 0) != tensor.extents.end()) bytes = 0;
  for (const std::int64_t extent : tensor.extents)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return false;
  return true;
}

void check_tensor(const std::filesystem::path& file, const TensorEntry& tensor, std::uint64_t data_bytes) {
  const auto fail = [&](const std::string& problem) {
    throw FormatError(file,
                      fmt::format("is not a sound safetensors file: tensor '{}' {}", tensor.name, problem));
  };
  if (type_bytes(tensor.type) == 0) fail(fmt::format("has the unknown type '{}'", tensor.type));
  if (tensor.begin > tensor.end || tensor.end > data_bytes)
    fail(fmt::format("should be bytes {} to {} of the data, of which the file has {}", tensor.begin,
                     tensor.end, data_bytes));
  std::uint64_t bytes = 0;
  if (!shape_bytes(tensor, bytes) || bytes != tensor.end - tensor.begin)
    fail(fmt::format("of {} {} does not fit the {} bytes given to it", tensor.type,
                     extents_text(tensor.extents), tensor.end - tensor.begin));
}

}  // namespace

std::uint64_t type_bytes(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, int>, 14> kTypes{{{"BOOL", 1},
                                                                     {"U8", 1},
                                                                     {"I8", 1},
                                                                     {"F8_E4M3", 1},
                                                                     {"F8_E5M2", 1},
                                                                     {"I16", 2},
                                                                     {"U16", 2},
                                                                     {"F16", 2},
                                                                     {"BF16", 2},
                                                                     {"I32", 4},
                                                                     {"U32", 4},
                                                                     {"F32", 4},
                                                                     {"I64", 8},
                                                                     {"F64", 8}}};
  for (const auto& [name, bytes] : kTypes)
    if (type == name) return static_cast<std::uint64_t>(bytes);
  return type == "U64" ? 8 : 0;
}

SafetensorsHeader parse_header(const std::filesystem::path& file, std::string_view text,
                               std::uint64_t data_bytes) {
  HeaderReader reader(file);
  nlohmann::json::sax_parse(text, &reader);
  SafetensorsHeader header = reader.take();
  std::sort(header.tensors.begin(), header.tensors.end(),
            [](const TensorEntry& left, const TensorEntry& right) {
              return std::tie(left.begin, left.end) < std::tie(right.begin, right.end);
            });
  std::uint64_t end = 0;
  for (const TensorEntry& tensor : header.tensors) {
    check_tensor(file, tensor, data_bytes);
    if (tensor.begin != end)
      throw FormatError(
          file, fmt::format("is not a sound safetensors file: tensor '{}' begins at byte {} of the data, "
                            "but the one before it ends at {}",
                            tensor.name, tensor.begin, end));
    end = tensor.end;
  }
  if (end != data_bytes)
    throw FormatError(
        file, fmt::format("is not a sound safetensors file: its tensors take {} bytes, but {} follow its "
                          "header",
                          end, data_bytes));
  return header;
}

std::string header_text(const SafetensorsHeader& header) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) json[kMetadataName] = header.metadata;
  for (const TensorEntry& tensor : header.tensors)
    json[tensor.name] = {
        {"dtype", tensor.type}, {"shape", tensor.extents}, {"data_offsets", {tensor.begin, tensor.end}}};
  std::string text = json.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace cnn::formats
