// After PyTorch's torch/_utils.py and torch/serialization.py: how a tensor is taken apart for its pickle.
#include "formats/pytorch_tensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "formats/safetensors_header.hpp"

namespace cnn::formats {
namespace {

constexpr std::size_t kMostExtents = 16;

constexpr std::string_view kTensor1 = "torch._utils._rebuild_tensor",
                           kTensor2 = "torch._utils._rebuild_tensor_v2",
                           kTensor3 = "torch._utils._rebuild_tensor_v3",
                           kParameter = "torch._utils._rebuild_parameter", kSize = "torch.Size";

constexpr std::string_view kGlobals[] = {kTensor1,
                                         kTensor2,
                                         kTensor3,
                                         kParameter,
                                         kSize,
                                         "torch.FloatStorage",
                                         "torch.DoubleStorage",
                                         "torch.HalfStorage",
                                         "torch.BFloat16Storage",
                                         "torch.LongStorage",
                                         "torch.IntStorage",
                                         "torch.ShortStorage",
                                         "torch.CharStorage",
                                         "torch.ByteStorage",
                                         "torch.BoolStorage",
                                         "torch.storage.UntypedStorage",
                                         "torch.storage._UntypedStorage",
                                         "torch.storage.TypedStorage",
                                         "torch.storage._TypedStorage",
                                         "torch.float32",
                                         "torch.float64",
                                         "torch.float16",
                                         "torch.bfloat16",
                                         "torch.int64",
                                         "torch.int32",
                                         "torch.int16",
                                         "torch.int8",
                                         "torch.uint8",
                                         "torch.bool"};

/// The type of a storage's class or of a dtype, as safetensors names it; empty where it is neither.
std::string_view type_of(std::string_view global) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"torch.FloatStorage", "F32"},
      {"torch.DoubleStorage", "F64"},
      {"torch.HalfStorage", "F16"},
      {"torch.LongStorage", "I64"},
      {"torch.BFloat16Storage", "BF16"},
      {"torch.IntStorage", "I32"},
      {"torch.ShortStorage", "I16"},
      {"torch.CharStorage", "I8"},
      {"torch.ByteStorage", "U8"},
      {"torch.BoolStorage", "BOOL"},
      {"torch.float32", "F32"},
      {"torch.float64", "F64"},
      {"torch.float16", "F16"},
      {"torch.bfloat16", "BF16"},
      {"torch.int64", "I64"},
      {"torch.int32", "I32"},
      {"torch.int16", "I16"},
      {"torch.int8", "I8"},
      {"torch.uint8", "U8"},
      {"torch.bool", "BOOL"},
      {"torch.storage.UntypedStorage", "U8"},
      {"torch.storage._UntypedStorage", "U8"}};
  for (const auto& [name, type] : kTypes)
    if (name == global) return type;
  return {};
}

[[noreturn]] void fail(const std::string& problem) {
  throw PickleError(problem);
}

std::int64_t whole_number(const PickleValue& value, std::string_view what) {
  if (value.kind != PickleKind::kInteger || value.integer < 0)
    fail(fmt::format("{} is {}", what, describe(value)));
  return value.integer;
}

bool is_tensor(const PickleValue& value) {
  return value.kind == PickleKind::kCall && value.text != kSize;
}

/// Names as they are printed: without what a terminal would obey.
std::string shown(std::string_view name) {
  std::string text(name.substr(0, 200));
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
  return text;
}

/// One tensor's call, read against the storages.
class TensorReader {
 public:
  TensorReader(const Pickle& pickle, const Storages& storages, std::string_view name)
      : pickle_(pickle), storages_(storages), name_(name) {}

  StridedTensor read(const PickleValue& value) {
    const PickleValue* call = &value;
    if (call->text == kParameter) call = &argument(*call, 0);
    const bool known = call->text == kTensor1 || call->text == kTensor2 || call->text == kTensor3;
    if (call->kind != PickleKind::kCall || !known) refuse(fmt::format("is made from {}", describe(*call)));
    const PickleValue& persistent = argument(*call, 0);
    if (persistent.kind != PickleKind::kPersistent)
      refuse(fmt::format("has {} for its storage", describe(persistent)));
    const StorageClaim claim = read_storage_claim(pickle_, persistent);
    const std::string_view type = call->text == kTensor3 ? dtype(argument(*call, 6)) : claim.type;
    StridedTensor tensor{.described = {.name = std::string(name_), .type = std::string(type), .extents = {}}};
    tensor.storage = storages_.at(claim.key);
    tensor.offset = whole_number(argument(*call, 1), fmt::format("the offset of tensor '{}'", shown(name_)));
    tensor.described.extents = numbers(argument(*call, 2), "extent");
    tensor.strides = numbers(argument(*call, 3), "stride");
    check(tensor, view_of(claim, type));
    tensor.offset += claim.offset * bytes_of(claim.type) / bytes_of(type);
    return tensor;
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    fail(fmt::format("tensor '{}' {}", shown(name_), problem));
  }

  const PickleValue& argument(const PickleValue& call, std::size_t index) const {
    if (index >= call.items.size()) refuse(fmt::format("has too few arguments for {}", call.text));
    return pickle_.value(call.items[index]);
  }

  std::string_view dtype(const PickleValue& value) const {
    const std::string_view type =
        value.kind == PickleKind::kGlobal ? type_of(value.text) : std::string_view{};
    if (type.empty() || value.text.ends_with("Storage"))
      refuse(fmt::format("has {} for its type", describe(value)));
    return type;
  }

  /// Numbers of `type` in the part of the storage that it may use.
  static std::int64_t view_of(const StorageClaim& claim, std::string_view type) {
    return claim.view * bytes_of(claim.type) / bytes_of(type);
  }
  static std::int64_t bytes_of(std::string_view type) { return static_cast<std::int64_t>(type_bytes(type)); }

  std::vector<std::int64_t> numbers(const PickleValue& value, std::string_view what) const {
    const PickleValue* list = &value;
    if (value.kind == PickleKind::kCall && value.text == kSize) list = &argument(value, 0);
    if (list->kind != PickleKind::kTuple && list->kind != PickleKind::kList)
      refuse(fmt::format("has {} for its {}s", describe(*list), what));
    if (list->items.size() > kMostExtents)
      refuse(fmt::format("has {} {}s; {} are the most", list->items.size(), what, kMostExtents));
    std::vector<std::int64_t> numbers;
    for (const PickleId id : list->items)
      numbers.push_back(
          whole_number(pickle_.value(id), fmt::format("one {} of tensor '{}'", what, shown(name_))));
    return numbers;
  }

  /// The last number that the tensor reaches must lie among the `available`.
  void check(StridedTensor& tensor, std::int64_t available) const {
    const std::vector<std::int64_t>& extents = tensor.described.extents;
    if (extents.size() != tensor.strides.size())
      refuse(fmt::format("has {} extents and {} strides", extents.size(), tensor.strides.size()));
    const auto count = element_count(extents);
    std::int64_t last = tensor.offset;
    bool inside = count.has_value();
    for (std::size_t i = 0; inside && *count > 0 && i < extents.size(); ++i) {
      std::int64_t reach = 0;
      inside = !__builtin_mul_overflow(extents[i] - 1, tensor.strides[i], &reach) &&
               !__builtin_add_overflow(last, reach, &last);
      if (extents[i] == 1) tensor.strides[i] = 0;  // nobody takes that step, whatever it says
    }
    if (!inside || (*count > 0 && last >= available) || tensor.offset > available)
      refuse(fmt::format("of {} does not fit its storage of {} numbers", extents_text(extents), available));
    if (*count > available)
      refuse(fmt::format("of {} repeats the {} numbers of its storage", extents_text(extents), available));
    tensor.described.count = *count;
  }

  const Pickle& pickle_;
  const Storages& storages_;
  std::string_view name_;
};

bool holds_tensors(const Pickle& pickle, const PickleValue& value) {
  if (value.kind != PickleKind::kDictionary) return false;
  for (std::size_t i = 1; i < value.items.size(); i += 2)
    if (is_tensor(pickle.value(value.items[i]))) return true;
  return false;
}

/// Keys of a dictionary for a message, the first of them.
std::string keys_text(const Pickle& pickle, const PickleValue& dictionary, std::string_view but = {}) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < dictionary.items.size() && keys.size() < kMost; i += 2) {
    const PickleValue& key = pickle.value(dictionary.items[i]);
    if (key.kind == PickleKind::kText && !but.empty() && key.text == but) continue;
    keys.push_back(key.kind == PickleKind::kText ? shown(key.text) : describe(key));
  }
  if (dictionary.items.size() / 2 > kMost) keys.push_back("...");
  return keys.empty() ? "nothing" : fmt::format("{}", fmt::join(keys, ", "));
}

/// Goes from the root to the dictionary of tensors through the keys under which training scripts keep it.
const PickleValue& find_state_dictionary(const Pickle& pickle, std::vector<std::string>& notes) {
  constexpr std::string_view kWrappers[] = {"state_dict", "model_state_dict", "model_state", "model",
                                            "net",        "network"};
  constexpr int kDeepest = 3;
  const PickleValue* value = &pickle.root();
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (value->kind != PickleKind::kDictionary)
      fail(fmt::format("it holds {}, and not a dictionary of tensors as model.state_dict() is",
                       describe(*value)));
    if (holds_tensors(pickle, *value)) return *value;
    const PickleValue* inner = nullptr;
    std::string_view found;
    for (const std::string_view key : kWrappers) {
      const PickleValue* candidate = pickle.find(*value, key);
      if (candidate == nullptr || candidate->kind != PickleKind::kDictionary) continue;
      if (inner != nullptr)
        fail(fmt::format("it holds both '{}' and '{}': which are the weights? Save one alone", found, key));
      inner = candidate;
      found = key;
    }
    if (inner == nullptr) break;
    notes.push_back(fmt::format("its weights were found under '{}'; it also holds: {}", found,
                                keys_text(pickle, *value, found)));
    value = inner;
  }
  fail(fmt::format(
      "it holds no tensors by name, but {}; the weights are looked for in the dictionary itself and under {}",
      keys_text(pickle, *value), fmt::join(kWrappers, ", ")));
}

bool is_utf8(const std::string& text) {
  try {
    return !nlohmann::json(text).dump().empty();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

/// Takes away what wrappers of a whole model put before every name.
void drop_prefixes(TensorList& list) {
  for (const std::string_view prefix : {std::string_view("module."), std::string_view("_orig_mod.")}) {
    std::size_t with = 0;
    for (StridedTensor& tensor : list.tensors) {
      if (!tensor.described.name.starts_with(prefix)) continue;
      tensor.described.name.erase(0, prefix.size());
      ++with;
    }
    if (with > 0)
      list.notes.push_back(fmt::format("'{}' was taken from the front of {} names", prefix, with));
  }
}

void require_sound_names(const TensorList& list) {
  std::map<std::string_view, int> names;
  for (const StridedTensor& tensor : list.tensors) {
    if (!is_utf8(tensor.described.name))
      fail(fmt::format("the name of its tensor {} is not UTF-8", names.size() + 1));
    if (++names[tensor.described.name] == 2)
      fail(fmt::format("two of its tensors are called '{}'", shown(tensor.described.name)));
  }
}

/// Many tensors over one storage are how a small file would stand for any amount of numbers.
void require_proportion(const TensorList& list, const Storages& storages) {
  std::uint64_t stored = 0, claimed = 0;
  for (const auto& [key, bytes] : storages) stored += bytes.size();
  for (const StridedTensor& tensor : list.tensors)
    claimed += static_cast<std::uint64_t>(tensor.described.count) * type_bytes(tensor.described.type);
  if (claimed > 8 * stored + (std::uint64_t{1} << 20))
    fail(fmt::format("its tensors take {} bytes, but share {} bytes of storages", claimed, stored));
}

}  // namespace

std::span<const std::string_view> pytorch_globals() {
  return kGlobals;
}

StorageClaim read_storage_claim(const Pickle& pickle, const PickleValue& persistent) {
  const PickleValue& id = pickle.value(persistent.items.at(0));
  const auto field = [&](std::size_t index) -> const PickleValue& { return pickle.value(id.items[index]); };
  if (id.kind != PickleKind::kTuple || id.items.size() < 5 || field(0).kind != PickleKind::kText ||
      field(0).text != "storage")
    fail("it refers to something outside of itself that is not a storage");
  if (field(2).kind != PickleKind::kText)
    fail(fmt::format("a storage has {} for its key", describe(field(2))));
  const std::string_view type =
      field(1).kind == PickleKind::kGlobal ? type_of(field(1).text) : std::string_view{};
  if (type.empty()) fail(fmt::format("storage '{}' is of {}", shown(field(2).text), describe(field(1))));
  StorageClaim claim{.key = field(2).text, .type = type};
  claim.count = whole_number(field(4), fmt::format("the size of storage '{}'", shown(claim.key)));
  if (claim.count > (std::int64_t{1} << 56))
    fail(fmt::format("storage '{}' has {} numbers", shown(claim.key), claim.count));
  claim.view = claim.count;
  if (id.items.size() < 6 || field(5).kind == PickleKind::kNone) return claim;
  const PickleValue& view = field(5);
  if (view.kind != PickleKind::kTuple || view.items.size() != 3)
    fail(fmt::format("storage '{}' has {} for its view", shown(claim.key), describe(view)));
  claim.offset = whole_number(pickle.value(view.items[1]), "the offset of a storage's view");
  claim.view = whole_number(pickle.value(view.items[2]), "the size of a storage's view");
  if (claim.offset > claim.count || claim.view > claim.count - claim.offset)
    fail(fmt::format("storage '{}' of {} numbers has a view of {} from number {}", shown(claim.key),
                     claim.count, claim.view, claim.offset));
  return claim;
}

std::map<std::string_view, StorageClaim> storage_claims(const Pickle& pickle) {
  std::map<std::string_view, StorageClaim> claims;
  for (const PickleValue& value : pickle.values) {
    if (value.kind != PickleKind::kPersistent) continue;
    const StorageClaim claim = read_storage_claim(pickle, value);
    const auto [place, fresh] = claims.emplace(claim.key, claim);
    if (!fresh && (place->second.type != claim.type || place->second.count != claim.count))
      fail(fmt::format("storage '{}' is described in two ways", shown(claim.key)));
  }
  return claims;
}

void read_state_dictionary(const Pickle& pickle, const Storages& storages, TensorList& list) {
  const PickleValue& dictionary = find_state_dictionary(pickle, list.notes);
  std::vector<std::string> others;
  for (std::size_t i = 0; i + 1 < dictionary.items.size(); i += 2) {
    const PickleValue& key = pickle.value(dictionary.items[i]);
    const PickleValue& value = pickle.value(dictionary.items[i + 1]);
    if (key.kind != PickleKind::kText)
      fail(fmt::format("a tensor is named by {}, not by a text", describe(key)));
    if (is_tensor(value))
      list.tensors.push_back(TensorReader(pickle, storages, key.text).read(value));
    else
      others.push_back(shown(key.text));
  }
  if (!others.empty()) {
    const std::size_t count = others.size();
    others.resize(std::min<std::size_t>(count, 8));
    list.notes.push_back(fmt::format("what is no tensor was left out: {}{}", fmt::join(others, ", "),
                                     count > 8 ? ", ..." : ""));
  }
  drop_prefixes(list);
  require_sound_names(list);
  require_proportion(list, storages);
}

}  // namespace cnn::formats
