// Matching by name looks names up. Matching in order first takes the auxiliary heads out of both sides, then
// compares what is left place by place, up to the first pair that disagrees.
#include "formats/match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace cnn::formats {
namespace {

using Indices = std::vector<std::size_t>;

std::string tensors_text(std::size_t count) {
  return fmt::format("{} tensor{}", count, count == 1 ? "" : "s");
}

bool is_step_count(const StoredTensor& tensor) {
  return tensor.name.ends_with("num_batches_tracked");
}

// ---------- by name ----------

using Places = std::map<std::string_view, std::size_t>;

Pairing look_up(std::span<const WantedTensor> wanted, std::span<const StoredTensor> stored,
                const Places& places, const Names& names) {
  Pairing pairing;
  std::vector<bool> used(stored.size(), false);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto place = places.find(names[i]);
    if (place == places.end()) {
      pairing.missing.push_back(i);
      continue;
    }
    const StoredTensor& found = stored[place->second];
    const bool agrees = found.is_float() && same_shape(found.extents, wanted[i].extents);
    (agrees ? pairing.pairs : pairing.disagreeing).push_back({i, place->second});
    used[place->second] = true;
  }
  for (std::size_t i = 0; i < stored.size(); ++i)
    if (!used[i] && !is_step_count(stored[i])) pairing.left_over.push_back(i);
  return pairing;
}

// ---------- in order ----------

/// What a tensor is to its layer, where its name's last part says so.
std::string_view role_of(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kRoles[] = {{"weight", "weight"},
                                                                      {"gamma", "weight"},
                                                                      {"kernel", "weight"},
                                                                      {"bias", "bias"},
                                                                      {"beta", "bias"},
                                                                      {"running_mean", "running_mean"},
                                                                      {"running_var", "running_var"},
                                                                      {"moving_mean", "running_mean"},
                                                                      {"moving_variance", "running_var"}};
  const std::string_view last = name.substr(name.rfind('.') + 1);
  for (const auto& [word, role] : kRoles)
    if (last == word) return role;
  return {};
}

bool agree(const WantedTensor& wanted, const StoredTensor& stored) {
  const std::string_view left = role_of(wanted.name), right = role_of(stored.name);
  return (left.empty() || right.empty() || left == right) && same_shape(wanted.extents, stored.extents);
}

/// A name up to the end of its first part that begins with "aux"; empty where there is none.
std::string_view auxiliary_unit(std::string_view name) {
  std::size_t begin = 0;
  while (begin < name.size()) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    const auto is = [&](std::size_t i, char letter) { return (part[i] | 0x20) == letter; };
    if (part.size() >= 3 && is(0, 'a') && is(1, 'u') && is(2, 'x') && end < name.size())
      return name.substr(0, end);
    begin = end + 1;
  }
  return {};
}

/// A list cut into its main part and its units, each with the name it is known by.
struct Cut {
  Indices main;
  std::vector<std::pair<std::string_view, Indices>> units;
};

template <class Unit>
Cut cut(std::span<const std::size_t> items, Unit&& unit_of) {
  Cut result;
  for (const std::size_t item : items) {
    const std::string_view name = unit_of(item);
    const auto known = std::find_if(result.units.begin(), result.units.end(),
                                    [&](const auto& u) { return u.first == name; });
    if (name.empty())
      result.main.push_back(item);
    else if (known != result.units.end())
      known->second.push_back(item);
    else
      result.units.push_back({name, {item}});
  }
  return result;
}

class OrderMatch {
 public:
  OrderMatch(std::span<const WantedTensor> wanted, std::span<const StoredTensor> stored)
      : wanted_(wanted), stored_(stored) {}

  Pairing match() {
    pairing_.by = MatchBy::kOrder;
    Indices all, floats;
    for (std::size_t i = 0; i < wanted_.size(); ++i) all.push_back(i);
    for (std::size_t i = 0; i < stored_.size(); ++i) {
      if (is_step_count(stored_[i])) continue;
      (stored_[i].is_float() ? floats : pairing_.left_over).push_back(i);
    }
    const Cut ours = cut(all, [&](std::size_t i) { return std::string_view(wanted_[i].head); });
    const Cut theirs = cut_stored(ours, floats);
    pair_sequence(ours.main, theirs.main);
    for (std::size_t i = 0; i < std::max(ours.units.size(), theirs.units.size()); ++i)
      pair_unit(i < ours.units.size() ? ours.units[i].second : Indices{},
                i < theirs.units.size() ? theirs.units[i].second : Indices{});
    std::sort(pairing_.left_over.begin(), pairing_.left_over.end());
    return std::move(pairing_);
  }

 private:
  Cut cut_stored(const Cut& ours, const Indices& floats) {
    // Where a network's own part is called aux..., such names say nothing.
    const bool by_name = std::none_of(ours.main.begin(), ours.main.end(), [&](std::size_t i) {
      return !auxiliary_unit(wanted_[i].name).empty();
    });
    if (by_name) {
      Cut theirs = cut(floats, [&](std::size_t i) { return auxiliary_unit(stored_[i].name); });
      if (!theirs.units.empty() || ours.units.empty()) return theirs;
    }
    return cut_by_shapes(ours, floats);
  }

  /// Takes each head out where its shapes stand one after the other. Only where there is one such place for
  /// each head does that tell anything; a head without any stays missing.
  Cut cut_by_shapes(const Cut& ours, Indices floats) const {
    Cut theirs;
    for (const auto& [name, head] : ours.units) {
      std::vector<std::size_t> places;
      for (std::size_t begin = 0; begin + head.size() <= floats.size() && places.size() < 2; ++begin)
        if (stands_at(head, floats, begin)) places.push_back(begin);
      Indices unit;
      if (places.size() == 1) {
        const auto begin = floats.begin() + static_cast<std::ptrdiff_t>(places.front());
        unit.assign(begin, begin + static_cast<std::ptrdiff_t>(head.size()));
        floats.erase(begin, begin + static_cast<std::ptrdiff_t>(head.size()));
      }
      theirs.units.push_back({name, std::move(unit)});
    }
    theirs.main = std::move(floats);
    return theirs;
  }

  bool stands_at(const Indices& head, const Indices& floats, std::size_t begin) const {
    for (std::size_t i = 0; i < head.size(); ++i)
      if (!agree(wanted_[head[i]], stored_[floats[begin + i]])) return false;
    return true;
  }

  void pair_unit(const Indices& ours, const Indices& theirs) {
    if (ours.empty() || theirs.empty()) {
      pairing_.missing.insert(pairing_.missing.end(), ours.begin(), ours.end());
      pairing_.left_over.insert(pairing_.left_over.end(), theirs.begin(), theirs.end());
      return;
    }
    pair_sequence(ours, theirs);
  }

  void pair_sequence(const Indices& ours, const Indices& theirs) {
    std::size_t i = 0;
    while (i < std::min(ours.size(), theirs.size()) && agree(wanted_[ours[i]], stored_[theirs[i]])) {
      pairing_.pairs.push_back({ours[i], theirs[i]});
      ++i;
    }
    if (i == ours.size() || i == theirs.size()) {
      append(pairing_.missing, ours, i);
      append(pairing_.left_over, theirs, i);
      return;
    }
    if (pairing_.disagreeing.empty()) explain(ours, theirs, i);
    pairing_.disagreeing.push_back({ours[i], theirs[i]});
    append(pairing_.missing, ours, i + 1);
    append(pairing_.left_over, theirs, i + 1);
  }

  static void append(Indices& to, const Indices& from, std::size_t begin) {
    to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(begin), from.end());
  }

  /// Looks a little further on for what should have come now.
  void explain(const Indices& ours, const Indices& theirs, std::size_t place) {
    constexpr std::size_t kFar = 64;
    const WantedTensor& wanted = wanted_[ours[place]];
    const StoredTensor& stored = stored_[theirs[place]];
    for (std::size_t i = place + 1; i < std::min(theirs.size(), place + kFar); ++i) {
      if (!agree(wanted, stored_[theirs[i]])) continue;
      pairing_.hint = fmt::format(
          "the file has this shape {} later, as {}: where branches stand in another order, "
          "write them in the file's",
          tensors_text(i - place), stored_[theirs[i]].name);
      return;
    }
    for (std::size_t i = place + 1; i < std::min(ours.size(), place + kFar); ++i) {
      if (!agree(wanted_[ours[i]], stored)) continue;
      pairing_.hint = fmt::format("the spec has the file's shape {} later, as {}", tensors_text(i - place),
                                  wanted_[ours[i]].name);
      return;
    }
  }

  std::span<const WantedTensor> wanted_;
  std::span<const StoredTensor> stored_;
  Pairing pairing_;
};

/// Numbers in names compared as numbers: features.2 before features.10.
bool natural_less(std::string_view left, std::string_view right) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  while (!left.empty() && !right.empty()) {
    if (is_digit(left[0]) && is_digit(right[0])) {
      const auto digits = [&](std::string_view text) {
        return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
      };
      const std::size_t l = digits(left), r = digits(right);
      const std::string_view left_number = left.substr(0, l), right_number = right.substr(0, r);
      if (l != r) return l < r;
      if (left_number != right_number) return left_number < right_number;
      left.remove_prefix(l), right.remove_prefix(r);
    } else {
      if (left[0] != right[0]) return left[0] < right[0];
      left.remove_prefix(1), right.remove_prefix(1);
    }
  }
  return left.size() < right.size();
}

/// Two names that show that a file's tensors were sorted by name, as Python's safetensors does: features.10
/// before features.2. None where they stand in no such order.
std::optional<std::pair<std::string_view, std::string_view>> sorted_by_name(
    std::span<const StoredTensor> stored) {
  std::optional<std::pair<std::string_view, std::string_view>> example;
  const StoredTensor* before = nullptr;
  for (const StoredTensor& tensor : stored) {
    if (!tensor.is_float()) continue;
    if (before != nullptr && tensor.name < before->name) return std::nullopt;
    if (before != nullptr && !example && natural_less(tensor.name, before->name))
      example = {before->name, tensor.name};
    before = &tensor;
  }
  return example;
}

}  // namespace

std::vector<Names> possible_names(std::span<const WantedTensor> wanted, std::string_view path,
                                  std::string_view source) {
  Names in_source, own, relative;
  for (const WantedTensor& tensor : wanted) {
    std::string_view rest = tensor.name;
    if (!path.empty() && rest.starts_with(path) && rest.size() > path.size() && rest[path.size()] == '.')
      rest.remove_prefix(path.size() + 1);
    in_source.push_back(fmt::format("{}.{}", source, rest));
    own.push_back(tensor.name);
    relative.emplace_back(rest);
  }
  std::vector<Names> names;
  if (!source.empty()) names.push_back(std::move(in_source));
  names.push_back(std::move(own));
  if (!path.empty()) names.push_back(std::move(relative));
  return names;
}

Pairing match_by_name(std::span<const WantedTensor> wanted, std::span<const StoredTensor> stored,
                      std::span<const Names> names) {
  Places places;
  for (std::size_t i = 0; i < stored.size(); ++i) places.emplace(stored[i].name, i);
  std::optional<Pairing> best;
  for (const Names& way : names) {
    Pairing pairing = look_up(wanted, stored, places, way);
    if (!best || pairing.missing.size() < best->missing.size()) best = std::move(pairing);
    if (best->missing.empty()) break;
  }
  if (!best) return {};
  if (best->pairs.empty() && best->disagreeing.empty() && !wanted.empty())
    best->hint = "no name is the same; match=order pairs tensors in their order of definition";
  return std::move(*best);
}

Pairing match_in_order(std::span<const WantedTensor> wanted, std::span<const StoredTensor> stored) {
  Pairing pairing = OrderMatch(wanted, stored).match();
  if (const auto names = sorted_by_name(stored)) {
    pairing.hint = fmt::format(
        "the file's tensors are sorted by name ({} before {}), so their order is not that of the network: "
        "match them by name, or convert the original with 'cnnc weights convert'",
        names->first, names->second);
    // Equal shapes could hide that from the comparison.
    if (pairing.disagreeing.empty() && !pairing.pairs.empty()) {
      pairing.disagreeing.push_back(pairing.pairs.front());
      pairing.pairs.erase(pairing.pairs.begin());
    }
  }
  return pairing;
}

bool only_heads_are_missing(const Pairing& pairing, std::span<const WantedTensor> wanted) {
  const auto count = [&](const auto& indices, std::string_view head, auto&& index_of) {
    return std::count_if(indices.begin(), indices.end(),
                         [&](const auto& item) { return wanted[index_of(item)].head == head; });
  };
  if (!pairing.disagreeing.empty()) return false;
  for (const std::size_t index : pairing.missing) {
    const std::string& head = wanted[index].head;
    if (head.empty() || count(pairing.pairs, head, [](const TensorPair& pair) { return pair.wanted; }) > 0)
      return false;
  }
  return true;
}

bool same_shape(std::span<const std::int64_t> left, std::span<const std::int64_t> right) {
  const auto without_ones = [](std::span<const std::int64_t> extents) {
    while (extents.size() > 2 && extents.back() == 1) extents = extents.first(extents.size() - 1);
    return extents;
  };
  const auto a = without_ones(left), b = without_ones(right);
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::string mismatch_text(const Pairing& pairing, std::span<const WantedTensor> wanted,
                          std::span<const StoredTensor> stored) {
  const auto ours = [&](std::size_t i) {
    return fmt::format("{} {}", wanted[i].name, extents_text(wanted[i].extents));
  };
  const auto theirs = [&](std::size_t i) {
    return fmt::format("{} {}", stored[i].name, extents_text(stored[i].extents));
  };
  const std::string hint = pairing.hint.empty() ? "" : "\n  " + pairing.hint;
  if (pairing.by == MatchBy::kOrder && !pairing.disagreeing.empty()) {
    const TensorPair& pair = pairing.disagreeing.front();
    // What follows is neither missing nor too much: it was not compared.
    return fmt::format("\n  after {} pair{}, these two don't go together:\n    {}\n    {} in the file{}",
                       pairing.pairs.size(), pairing.pairs.size() == 1 ? "" : "s", ours(pair.wanted),
                       theirs(pair.stored), hint);
  }
  std::vector<std::string> missing, different, extra;
  for (const std::size_t i : pairing.missing) missing.push_back(ours(i));
  for (const TensorPair& pair : pairing.disagreeing) {
    const StoredTensor& found = stored[pair.stored];
    different.push_back(fmt::format("{} is {} {}, expected F32 {}", wanted[pair.wanted].name, found.type,
                                    extents_text(found.extents), extents_text(wanted[pair.wanted].extents)));
  }
  for (const std::size_t i : pairing.left_over) extra.push_back(theirs(i));
  return listed("missing", missing) + listed("different", different) + listed("not asked for", extra) + hint;
}

std::string listed(std::string_view title, std::span<const std::string> lines) {
  constexpr std::size_t kMost = 8;
  if (lines.empty()) return "";
  std::string text = fmt::format("\n  {}:", title);
  for (std::size_t i = 0; i < std::min(kMost, lines.size()); ++i) text += "\n    " + lines[i];
  if (lines.size() > kMost) text += fmt::format("\n    and {} more", lines.size() - kMost);
  return text;
}

std::vector<std::string> pair_lines(const Pairing& pairing, std::span<const WantedTensor> wanted,
                                    std::span<const StoredTensor> stored) {
  std::size_t name_width = 0, shape_width = 0;
  for (const TensorPair& pair : pairing.pairs) {
    name_width = std::max(name_width, wanted[pair.wanted].name.size());
    shape_width = std::max(shape_width, extents_text(wanted[pair.wanted].extents).size());
  }
  std::vector<std::string> lines;
  for (const TensorPair& pair : pairing.pairs) {
    const WantedTensor& ours = wanted[pair.wanted];
    lines.push_back(fmt::format("{:<{}}  {:<{}}  {}", ours.name, name_width, extents_text(ours.extents),
                                shape_width, stored[pair.stored].name));
  }
  return lines;
}

}  // namespace cnn::formats
