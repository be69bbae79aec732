// The collection of diagnostics.
#include "support/diagnostics.hpp"

namespace cnnc {

using Builder = Diagnostics::Builder;

Builder& Builder::label(std::string text) {
  diagnostic_.primary.text = std::move(text);
  return *this;
}

Builder& Builder::also(Range range, std::string text) {
  diagnostic_.secondary.push_back({range, std::move(text)});
  return *this;
}

Builder& Builder::note(std::string text) {
  diagnostic_.notes.push_back({std::move(text), false, {}});
  return *this;
}

Builder& Builder::note(std::string text, Range range) {
  diagnostic_.notes.push_back({std::move(text), true, range});
  return *this;
}

Builder& Builder::help(std::string text) {
  diagnostic_.help.push_back(std::move(text));
  return *this;
}

namespace {

// From the innermost to the outermost; of a long chain the middle is left out.
std::vector<Note> chain_of(const std::vector<Note>& context) {
  constexpr std::size_t kMostNotes = 8;
  std::vector<Note> chain(context.rbegin(), context.rend());
  if (chain.size() <= kMostNotes) return chain;
  const std::size_t left_out = chain.size() - kMostNotes + 1;
  const auto begin = chain.begin() + (kMostNotes - 2);
  chain.erase(begin, begin + static_cast<std::ptrdiff_t>(left_out));
  chain.insert(chain.begin() + (kMostNotes - 2), {fmt::format("in {} more", left_out), false, {}});
  return chain;
}

}  // namespace

Builder Diagnostics::add(std::string_view id, Severity severity, std::string text, bool has_range, Range range) {
  if (severity == Severity::kError) ++errors_;
  diagnostics_.push_back({.id = std::string(id),
                          .severity = severity,
                          .text = std::move(text),
                          .has_range = has_range,
                          .primary = {range, {}},
                          .secondary = {},
                          .notes = chain_of(context_),
                          .help = {},
                          .in_context = !context_.empty()});
  return Builder(diagnostics_.back());
}

}  // namespace cnnc
