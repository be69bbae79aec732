// A machine with a stack, a memo and marks, as Python's Lib/pickle.py describes it, for protocols 2 to 5. It
// makes values and calls nothing, needs no recursion, and makes no more values than the pickle has bytes.
#include "formats/pickle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <unordered_map>

namespace cnn::formats {
namespace {

constexpr std::size_t kMostValues = 4'000'000;  // a state dictionary takes about 50 for each tensor
constexpr std::string_view kOrderedDict = "collections.OrderedDict";

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, std::size_t& position, std::span<const std::string_view> allowed)
      : bytes_(bytes), position_(position), allowed_(allowed) {}

  Pickle run() {
    if (next() != 0x80) fail("does not begin with a protocol");
    const int protocol = next();
    if (protocol < 2 || protocol > 5)
      fail(fmt::format("has protocol {}; protocols 2 to 5 can be read", protocol));
    for (int opcode = next(); opcode != '.'; opcode = next()) {
      if (!constant(opcode) && !text(opcode) && !container(opcode) && !stack(opcode) && !object(opcode))
        fail(fmt::format("has the unknown instruction 0x{:02x}", opcode));
    }
    pickle_.root_id = pop();
    if (!stack_.empty() || !marks_.empty()) fail("leaves values behind");
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw PickleError(fmt::format("its pickle {} (at byte {})", problem, position_));
  }

  // ---------- bytes ----------

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - position_) fail("ends early");
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + position_;
    position_ += static_cast<std::size_t>(count);
    return {begin, static_cast<std::size_t>(count)};
  }

  int next() { return static_cast<unsigned char>(take(1)[0]); }

  /// A little-endian number of `size` bytes.
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }

  std::string_view line() {
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + position_,
                                bytes_.size() - position_);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) fail("ends early");
    position_ += end + 1;
    return rest.substr(0, end);
  }

  // ---------- the stack ----------

  PickleValue& at(PickleId id) { return pickle_.values[id]; }

  bool push(PickleValue value) {
    if (pickle_.values.size() == kMostValues) fail(fmt::format("has more than {} values", kMostValues));
    stack_.push_back(static_cast<PickleId>(pickle_.values.size()));
    pickle_.values.push_back(std::move(value));
    return true;
  }

  PickleId top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("takes a value where there is none");
    return stack_.back();
  }

  PickleId pop() {
    const PickleId id = top();
    stack_.pop_back();
    return id;
  }

  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) fail("goes back to a mark that is not there");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleId> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  std::vector<PickleId> pop_some(std::size_t count) {
    std::vector<PickleId> items(count);
    for (std::size_t i = count; i > 0; --i) items[i - 1] = pop();
    return items;
  }

  void remember(std::uint64_t key) { memo_[key] = top(); }

  bool recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail(fmt::format("recalls the value {}, which it never kept", key));
    stack_.push_back(found->second);
    return true;
  }

  // ---------- instructions, by kind; false: not of this kind ----------

  bool constant(int opcode) {
    switch (opcode) {
      case 'N':
        return push({.kind = PickleKind::kNone});
      case 0x88:
        return push({.kind = PickleKind::kBool, .integer = 1});
      case 0x89:
        return push({.kind = PickleKind::kBool, .integer = 0});
      case 'J':
        return push_integer(static_cast<std::int32_t>(number(4)));
      case 'K':
        return push_integer(static_cast<std::int64_t>(number(1)));
      case 'M':
        return push_integer(static_cast<std::int64_t>(number(2)));
      case 'I':
        return decimal(line());
      case 0x8a:
        return long_integer(take(number(1)));
      case 0x8b:
        return long_integer(take(number(4)));
      case 'G': {
        const std::uint64_t big_endian = number(8);
        return push(
            {.kind = PickleKind::kReal, .real = std::bit_cast<double>(__builtin_bswap64(big_endian))});
      }
      default:
        return false;
    }
  }

  bool push_integer(std::int64_t value) { return push({.kind = PickleKind::kInteger, .integer = value}); }

  /// Python 2 wrote numbers of more than 32 bits, and truth values, as text.
  bool decimal(std::string_view digits) {
    if (digits == "00" || digits == "01")
      return push({.kind = PickleKind::kBool, .integer = digits[1] - '0'});
    std::int64_t value = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (status != std::errc() || end != digits.data() + digits.size()) fail("has a number that is none");
    return push_integer(value);
  }

  bool long_integer(std::string_view bytes) {
    if (bytes.size() > 8) return push({.kind = PickleKind::kBigInteger, .text = bytes});
    std::uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return push_integer(static_cast<std::int64_t>(value));
  }

  bool text(int opcode) {
    switch (opcode) {
      case 'X':
        return push({.kind = PickleKind::kText, .text = take(number(4))});
      case 0x8c:
        return push({.kind = PickleKind::kText, .text = take(number(1))});
      case 0x8d:
        return push({.kind = PickleKind::kText, .text = take(number(8))});
      // Python 2's texts.
      case 'T':
        return push({.kind = PickleKind::kText, .text = take(number(4))});
      case 'U':
        return push({.kind = PickleKind::kText, .text = take(number(1))});
      case 'B':
        return push({.kind = PickleKind::kBytes, .text = take(number(4))});
      case 'C':
        return push({.kind = PickleKind::kBytes, .text = take(number(1))});
      case 0x8e:
        return push({.kind = PickleKind::kBytes, .text = take(number(8))});
      default:
        return false;
    }
  }

  bool container(int opcode) {
    switch (opcode) {
      case ']':
        return push({.kind = PickleKind::kList});
      case '}':
        return push({.kind = PickleKind::kDictionary});
      case ')':
        return push({.kind = PickleKind::kTuple});
      case 'l':
        return push({.kind = PickleKind::kList, .items = pop_to_mark()});
      case 't':
        return push({.kind = PickleKind::kTuple, .items = pop_to_mark()});
      case 0x85:
        return push({.kind = PickleKind::kTuple, .items = pop_some(1)});
      case 0x86:
        return push({.kind = PickleKind::kTuple, .items = pop_some(2)});
      case 0x87:
        return push({.kind = PickleKind::kTuple, .items = pop_some(3)});
      case 'd':
        return push({.kind = PickleKind::kDictionary}), extend(PickleKind::kDictionary, swap_below_mark());
      case 'a':
        return extend(PickleKind::kList, pop_some(1));
      case 'e':
        return extend(PickleKind::kList, pop_to_mark());
      case 's':
        return extend(PickleKind::kDictionary, pop_some(2));
      case 'u':
        return extend(PickleKind::kDictionary, pop_to_mark());
      case 0x8f:
      case 0x90:
      case 0x91:
        fail("holds a set; a weights file needs none, and sets are not read");
      default:
        return false;
    }
  }

  /// What stood on the mark, after a new value was pushed that is to hold it.
  std::vector<PickleId> swap_below_mark() {
    const PickleId made = pop();
    std::vector<PickleId> items = pop_to_mark();
    stack_.push_back(made);
    return items;
  }

  bool extend(PickleKind kind, const std::vector<PickleId>& items) {
    PickleValue& target = at(top());
    if (target.kind != kind) fail(fmt::format("puts items into {}", describe(target)));
    if (kind == PickleKind::kDictionary && items.size() % 2 != 0) fail("has a key without a value");
    target.items.insert(target.items.end(), items.begin(), items.end());
    return true;
  }

  bool stack(int opcode) {
    switch (opcode) {
      case '(':
        return marks_.push_back(stack_.size()), true;
      case '0':
        return drop();
      case '1':
        return pop_to_mark(), true;
      case '2':
        return stack_.push_back(top()), true;
      case 'q':
        return remember(number(1)), true;
      case 'r':
        return remember(number(4)), true;
      case 0x94:
        return remember(memo_.size()), true;
      case 'h':
        return recall(number(1));
      case 'j':
        return recall(number(4));
      case 0x95:
        return number(8), true;  // a frame's length, of use to streams only
      default:
        return false;
    }
  }

  bool drop() {
    if (!marks_.empty() && marks_.back() == stack_.size()) return marks_.pop_back(), true;
    return pop(), true;
  }

  bool object(int opcode) {
    switch (opcode) {
      case 'c': {
        const std::string_view module = line();
        return global(module, line());
      }
      case 0x93: {
        const std::vector<PickleId> names = pop_some(2);
        return global(text_of(names[0]), text_of(names[1]));
      }
      case 'R':
        return call();
      case 'b':
        return build();
      case 'Q':
        return push({.kind = PickleKind::kPersistent, .items = pop_some(1)});
      case 0x81:
      case 0x92: {
        const std::vector<PickleId> operands = pop_some(opcode == 0x81 ? 2 : 3);
        fail(fmt::format("makes an object of {}, which a weights file needs not", describe(at(operands[0]))));
      }
      case 'i':
      case 'o':
        fail("makes an object of a class, which a weights file needs not");
      case 'P':
      case 0x82:
      case 0x83:
      case 0x84:
      case 0x96:
      case 0x97:
      case 0x98:
        fail(fmt::format("uses the instruction 0x{:02x}, which torch.save does not write", opcode));
      default:
        return false;
    }
  }

  std::string_view text_of(PickleId id) {
    if (at(id).kind != PickleKind::kText) fail(fmt::format("takes {} for a name", describe(at(id))));
    return at(id).text;
  }

  bool global(std::string_view module, std::string_view name) {
    std::string& full = pickle_.texts.emplace_back(fmt::format("{}.{}", module, name));
    if (full == kOrderedDict) return push({.kind = PickleKind::kGlobal, .text = kOrderedDict});
    if (std::find(allowed_.begin(), allowed_.end(), full) == allowed_.end())
      throw PickleError(fmt::format(
          "it asks for {}, and only dictionaries, lists, numbers, texts and tensors are read. Where it "
          "holds a whole model or other objects, save its weights alone: "
          "torch.save(model.state_dict(), FILE)",
          shown(full)));
    return push({.kind = PickleKind::kGlobal, .text = full});
  }

  /// A name from a file, cut to a length and without what a terminal would obey.
  static std::string shown(std::string_view name) {
    std::string text(name.substr(0, 100));
    for (char& letter : text)
      if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
    return "'" + text + "'";
  }

  bool call() {
    const std::vector<PickleId> operands = pop_some(2);
    const PickleValue& callee = at(operands[0]);
    const PickleValue& arguments = at(operands[1]);
    if (callee.kind != PickleKind::kGlobal) fail(fmt::format("calls {}", describe(callee)));
    if (arguments.kind != PickleKind::kTuple)
      fail(fmt::format("calls {} with {}", callee.text, describe(arguments)));
    if (callee.text == kOrderedDict) return ordered_dictionary(arguments);
    charge(arguments.items.size());
    return push({.kind = PickleKind::kCall, .text = callee.text, .items = arguments.items});
  }

  /// Items are copied from values that may be used any number of times: a few bytes could stand for any
  /// amount.
  void charge(std::size_t items) {
    copied_ += items;
    if (copied_ > kMostValues) fail(fmt::format("copies more than {} values", kMostValues));
  }

  /// OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
  bool ordered_dictionary(const PickleValue& arguments) {
    PickleValue made{.kind = PickleKind::kDictionary};
    if (arguments.items.size() > 1) fail("calls collections.OrderedDict with several arguments");
    if (!arguments.items.empty()) {
      const PickleValue& pairs = at(arguments.items[0]);
      if (pairs.kind != PickleKind::kList) fail(fmt::format("makes a dictionary of {}", describe(pairs)));
      for (const PickleId id : pairs.items) {
        const PickleValue& pair = at(id);
        const bool sequence = pair.kind == PickleKind::kList || pair.kind == PickleKind::kTuple;
        if (!sequence || pair.items.size() != 2)
          fail(fmt::format("makes an entry of a dictionary of {}", describe(pair)));
        charge(2);
        made.items.insert(made.items.end(), pair.items.begin(), pair.items.end());
      }
    }
    return push(std::move(made));
  }

  /// Attributes of an object. Only those of a dictionary are met (PyTorch's _metadata), and nobody needs
  /// them.
  bool build() {
    pop();
    const PickleValue& target = at(top());
    if (target.kind != PickleKind::kDictionary) fail(fmt::format("sets the state of {}", describe(target)));
    return true;
  }

  std::span<const std::byte> bytes_;
  std::size_t& position_;
  std::span<const std::string_view> allowed_;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;
  std::size_t copied_ = 0;
  std::unordered_map<std::uint64_t, PickleId> memo_;
};

}  // namespace

Pickle read_pickle(std::span<const std::byte> bytes, std::size_t& position,
                   std::span<const std::string_view> allowed) {
  if (position > bytes.size()) throw PickleError("a pickle is missing at its end");
  return Machine(bytes, position, allowed).run();
}

}  // namespace cnn::formats
