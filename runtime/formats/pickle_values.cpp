// Looking into what a pickle held.
#include <fmt/format.h>

#include "formats/pickle.hpp"

namespace cnn::formats {

const PickleValue* Pickle::find(const PickleValue& dictionary, std::string_view key) const {
  if (dictionary.kind != PickleKind::kDictionary) return nullptr;
  for (std::size_t i = 0; i + 1 < dictionary.items.size(); i += 2) {
    const PickleValue& candidate = value(dictionary.items[i]);
    if (candidate.kind == PickleKind::kText && candidate.text == key) return &value(dictionary.items[i + 1]);
  }
  return nullptr;
}

std::string describe(const PickleValue& value) {
  switch (value.kind) {
    case PickleKind::kNone:
      return "None";
    case PickleKind::kBool:
      return "a truth value";
    case PickleKind::kInteger:
      return fmt::format("the number {}", value.integer);
    case PickleKind::kBigInteger:
      return "a number of more than 64 bits";
    case PickleKind::kReal:
      return fmt::format("the number {}", value.real);
    case PickleKind::kText:
      return "a text";
    case PickleKind::kBytes:
      return "bytes";
    case PickleKind::kTuple:
      return "a tuple";
    case PickleKind::kList:
      return "a list";
    case PickleKind::kDictionary:
      return "a dictionary";
    case PickleKind::kGlobal:
      return std::string(value.text);
    case PickleKind::kCall:
      return fmt::format("a call of {}", value.text);
    case PickleKind::kPersistent:
      return "a storage";
  }
  return "";
}

}  // namespace cnn::formats
