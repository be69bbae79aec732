// Compile-time values of the language: what an argument, a `let` or a list element can be.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cnnc::ir {

struct Value;

/// A bare word as an argument: `relu`, `same`, `he_normal`, `identity`, or a block's or model's name.
struct Word {
  std::string text;
  std::int32_t file = -1;  // of a block or model: the file that declares it
  friend bool operator==(const Word&, const Word&) = default;
};

/// `3x224x224`, `1x7`.
struct Dimensions {
  std::vector<std::int64_t> extents;
  friend bool operator==(const Dimensions&, const Dimensions&) = default;
};

/// `normal(0.01)`: numbers drawn from N(0, deviation^2).
struct Normal {
  double deviation = 1;
  friend bool operator==(const Normal&, const Normal&) = default;
};

using List = std::vector<Value>;

struct Value {
  std::variant<std::int64_t, double, bool, std::string, Word, Dimensions, Normal, List> form;

  template <class T>
  const T* as() const { return std::get_if<T>(&form); }
  friend bool operator==(const Value&, const Value&);
};

/// As it would be written in a spec: 3, 0.1, true, "text", 3x32x32, [1, 2].
std::string to_text(const Value& value);
/// What it is, for messages: "the number 3", "the text \"abc\"", "a list".
std::string describe(const Value& value);

/// A layer's arguments by name, every default filled in.
class ArgumentValues {
 public:
  void set(std::string_view name, Value value) { values_.insert_or_assign(std::string(name), std::move(value)); }
  bool has(std::string_view name) const { return values_.contains(name); }
  const Value& at(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;   // an integer counts as a number
  bool boolean(std::string_view name) const;
  const std::string& word(std::string_view name) const;
  /// A pair given as `3` (both) or as `1x7` (height, width).
  std::pair<std::int64_t, std::int64_t> pair(std::string_view name) const;
  const std::map<std::string, Value, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace cnnc::ir
