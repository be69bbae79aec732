// Diagnostics as editors read them.
#include <nlohmann/json.hpp>

#include "support/diagnostics.hpp"

namespace cnnc {

namespace {

using Json = nlohmann::ordered_json;

void add_place(Json& json, Range range, const Sources& sources) {
  const SourceFile& file = sources.file(range.file);
  const Position begin = file.position(range.begin), end = file.position(range.end);
  json["file"] = file.name();
  json["line"] = begin.line;
  json["column"] = begin.column;
  json["end_line"] = end.line;
  json["end_column"] = end.column;
}

Json to_json(const Diagnostic& diagnostic, const Sources& sources) {
  static constexpr const char* kWords[] = {"error", "warning", "note"};
  Json json = {{"id", diagnostic.id}, {"severity", kWords[static_cast<int>(diagnostic.severity)]}, {"text", diagnostic.text}};
  if (diagnostic.has_range) {
    add_place(json, diagnostic.primary.range, sources);
    json["label"] = diagnostic.primary.text;
  }
  json["related"] = Json::array();
  const auto relate = [&](Range range, const std::string& text) {
    Json place = {{"text", text}};
    add_place(place, range, sources);
    json["related"].push_back(place);
  };
  for (const Label& label : diagnostic.secondary) relate(label.range, label.text);
  for (const Note& note : diagnostic.notes) {
    if (note.has_range) relate(note.range, note.text);
    else json["related"].push_back({{"text", note.text}});
  }
  json["help"] = diagnostic.help;
  return json;
}

}  // namespace

std::string render_json(const Diagnostics& diagnostics, const Sources& sources) {
  Json list = Json::array();
  for (const Diagnostic* diagnostic : in_order(diagnostics)) list.push_back(to_json(*diagnostic, sources));
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cnnc
