// What the compiler has to say to the user: typed messages, where they point, and their text form.
// A user's mistake becomes a Diagnostic; a mistake of ours becomes an InternalError (internal_error.hpp).
#pragma once

#include <fmt/format.h>

#include <deque>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "source.hpp"

namespace cnnc {

enum class Severity { kError, kWarning, kNote };

/// A message's stable id, severity and text. All of them stand in messages.hpp.
template <class... Args>
struct Message {
  std::string_view id;
  Severity severity;
  fmt::format_string<Args...> text;
};

/// A range and what to write below its carets; the text may be empty.
struct Label {
  Range range;
  std::string text;
};

/// A line below the source lines: "= in features.layer1[0]   resnet.cnn:41:9".
struct Note {
  std::string text;
  bool has_range = false;
  Range range;
};

struct Diagnostic {
  std::string id;
  Severity severity = Severity::kError;
  std::string text;
  bool has_range = true;       // false: about the command or a file as a whole
  Label primary;
  std::vector<Label> secondary;
  std::vector<Note> notes;
  std::vector<std::string> help;
  bool in_context = false;     // reported while a Diagnostics::Context lived
};

/// Collects the diagnostics of one compilation. Handed down, never global.
class Diagnostics {
 public:
  /// While it lives, everything that is reported carries `note`: where in the expansion of the spec it happened. Of what the
  /// same place gets to say in several such contexts, only the first is shown.
  class Context {
   public:
    Context(Diagnostics& diagnostics, Note note) : diagnostics_(diagnostics) { diagnostics_.context_.push_back(std::move(note)); }
    ~Context() { diagnostics_.context_.pop_back(); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

   private:
    Diagnostics& diagnostics_;
  };

  /// Adds details to the diagnostic just reported: `report(...).label("...").help("...")`.
  class Builder {
   public:
    explicit Builder(Diagnostic& diagnostic) : diagnostic_(diagnostic) {}
    Builder& label(std::string text);
    Builder& also(Range range, std::string text);
    Builder& note(std::string text);
    Builder& note(std::string text, Range range);
    Builder& help(std::string text);

   private:
    Diagnostic& diagnostic_;
  };

  template <class... Args>
  Builder report(Range range, const Message<Args...>& message, const std::type_identity_t<Args>&... args) {
    return add(message.id, message.severity, fmt::vformat(message.text, fmt::make_format_args(args...)), true, range);
  }
  /// For what has no place in a spec: a missing file, an unusable option.
  template <class... Args>
  Builder report_general(const Message<Args...>& message, const std::type_identity_t<Args>&... args) {
    return add(message.id, message.severity, fmt::vformat(message.text, fmt::make_format_args(args...)), false, {});
  }

  const std::deque<Diagnostic>& all() const { return diagnostics_; }
  int errors() const { return errors_; }
  bool failed() const { return errors_ > 0; }

 private:
  Builder add(std::string_view id, Severity severity, std::string text, bool has_range, Range range);

  std::deque<Diagnostic> diagnostics_;  // builders keep references
  std::vector<Note> context_;           // from the outermost to the innermost
  int errors_ = 0;
};

/// By position, those without one first; exact duplicates left out, and what one place says again in another context.
std::vector<const Diagnostic*> in_order(const Diagnostics& diagnostics);

/// The diagnostics as people read them: position, source line, carets, notes, help. Sorted by position.
std::string render(const Diagnostics& diagnostics, const Sources& sources);

/// The same for editors: a JSON array of {id, severity, text, file, line, column, end_line, end_column, ...}.
std::string render_json(const Diagnostics& diagnostics, const Sources& sources);

/// The candidate nearest to `word` by edit distance, or empty when none is near enough to be meant.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace cnnc
