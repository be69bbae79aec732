// Python's pickles as plain values. Nothing of Python is run: a pickle may name only what the reader allows,
// and calls stay descriptions of calls. Inside of formats only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cnn::formats {

/// A pickle that is damaged or asks for what is refused; worded for people, without the file's name.
class PickleError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An index into a pickle's values.
using PickleId = std::uint32_t;

enum class PickleKind {
  kNone,
  kBool,
  kInteger,
  kBigInteger,  // of more than 64 bits: its bytes in `text`, little-endian
  kReal,
  kText,
  kBytes,
  kTuple,
  kList,
  kDictionary,  // items: key, value, key, value, ...; also OrderedDict
  kGlobal,      // text: "torch.FloatStorage"
  kCall,        // text: the global's name; items: arguments
  kPersistent   // items: what identifies it
};

/// One value; values refer to each other by their ids, so that a list may hold itself.
struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  std::int64_t integer = 0;  // kBool, kInteger
  double real = 0;
  std::string_view text = {};
  std::vector<PickleId> items = {};
};

/// All values of one pickle. Texts are views of the bytes that it was read from.
class Pickle {
 public:
  const PickleValue& value(PickleId id) const { return values.at(id); }
  const PickleValue& root() const { return values.at(root_id); }
  /// The value of a text key; none where `dictionary` is no dictionary or has no such key.
  const PickleValue* find(const PickleValue& dictionary, std::string_view key) const;

  std::vector<PickleValue> values;
  std::deque<std::string> texts;  // what had to be put together
  PickleId root_id = 0;
};

/// Reads the pickle at `position` of `bytes` and moves `position` behind it. `allowed` are the globals that
/// it may name besides collections.OrderedDict. Throws PickleError.
Pickle read_pickle(std::span<const std::byte> bytes, std::size_t& position,
                   std::span<const std::string_view> allowed);

/// "a list", "the number 3", for messages.
std::string describe(const PickleValue& value);

}  // namespace cnn::formats
