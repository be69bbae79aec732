// Finds the part that a cut goes through, and spells what lies beyond it by paths.
#include "sema/cut.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> list;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    list.emplace_back(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return list;
}

std::string joined(const std::vector<std::string>& list, std::size_t count) {
  std::string path;
  for (std::size_t i = 0; i < count; ++i) path += (i == 0 ? "" : ".") + list[i];
  return path;
}

std::size_t common_length(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::size_t length = 0;
  while (length < a.size() && length < b.size() && a[length] == b[length]) ++length;
  return length;
}

bool inside(std::string_view path, std::string_view part) {
  return path.starts_with(part) && path.size() > part.size() && path[part.size()] == '.';
}

// dense4[10] -> dense4 and 10.
std::optional<std::pair<std::string, std::int64_t>> round_of(const std::string& component) {
  const std::size_t open = component.find('[');
  if (open == std::string::npos) return std::nullopt;
  return std::pair(component.substr(0, open), std::stoll(component.substr(open + 1)));
}

// What is chosen outside of `part`, as it can be written: "backbone.dense4[11:], backbone.bn2"; empty where paths can't.
std::string spelled(const Cut& cut, const std::vector<std::string>& part, const std::string& kind) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < cut.layers.size(); ++i) {
    const auto path = components(cut.layers[i].path);
    const std::size_t shared = common_length(path, part);
    if (!cut.chosen[i] || shared == part.size()) continue;
    if (shared == path.size()) return "";  // a merge around the part: its path would mean all of its branches, too
    std::string text = joined(path, shared + 1);
    const auto here = round_of(path[shared]), cut_through = round_of(part[shared]);
    if (here && cut_through && here->first == cut_through->first) {
      const std::string prefix = shared == 0 ? "" : joined(path, shared) + ".";
      text = cut.first ? fmt::format("{}{}[:{}]", prefix, here->first, cut_through->second)
                       : fmt::format("{}{}[{}:]", prefix, here->first, cut_through->second + 1);
    } else if (here) {
      text = (shared == 0 ? "" : joined(path, shared) + ".") + here->first;
    }
    if (!kind.empty()) text = fmt::format("{}layers of {}", kind, text);
    if (std::ranges::find(paths, text) == paths.end()) paths.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(paths, ", "));
}

}  // namespace

void note_cut_inside(const syntax::LayersSelector& selector, Range range, const Cut& cut, const FileScope& file) {
  // The two neighbours that the cut separates.
  std::optional<std::size_t> before, after;
  for (std::size_t i = 0; i < cut.layers.size() && !after; ++i) {
    if (!cut.candidates[i]) continue;
    if (before && cut.chosen[i] != cut.chosen[*before]) after = i;
    else before = i;
  }
  if (!after) return;
  const auto left = components(cut.layers[*before].path), right = components(cut.layers[*after].path);
  const std::size_t length = std::min(common_length(left, right), std::min(left.size(), right.size()) - 1);
  if (length == 0) return;
  // A section of the model's own, such as `features`, is there to be cut.
  if (length == 1 && !round_of(left.front())) return;
  const std::vector<std::string> part(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(length));
  const std::string path = joined(part, length);
  // Where the selector itself is about this part, or about less, there is no whole to speak of.
  const std::size_t around = selector.of ? selector.of->components.size() : 0;
  const bool all_of_it = selector.of && file.sources.text(selector.of->range) == path;
  if (length < around || all_of_it || (length == around && !round_of(part.back()))) return;
  std::int64_t all = 0, taken = 0;
  for (std::size_t i = 0; i < cut.layers.size(); ++i) {
    if (!cut.candidates[i] || !inside(cut.layers[i].path, path)) continue;
    ++all;
    taken += cut.chosen[i] ? 1 : 0;
  }
  const std::string kind = selector.kind ? selector.kind->text + " " : "";
  const auto spelling = [&](std::int64_t count) {
    const std::string of = selector.of ? " of " + std::string(file.sources.text(selector.of->range)) : "";
    return fmt::format("{} {} {}layers{}", cut.first ? "first" : "last", count, kind, of);
  };
  auto report = file.diagnostics.report(range, messages::kCutInside, path, taken, all);
  const std::string without = cut.count == taken ? "" : fmt::format("; without it: {}", spelling(cut.count - taken));
  report.help(fmt::format("with all of it: {}{}", spelling(cut.count + all - taken), without));
  if (const std::string paths = spelled(cut, part, kind); !paths.empty()) report.help(fmt::format("by name, without it: {}", paths));
}

}  // namespace cnnc::sema
