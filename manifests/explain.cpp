#include <manifests/explain.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/schema.hpp>
#include <manifests/text.hpp>
#include <manifests/wording.hpp>

#include <algorithm>
#include <map>
#include <sstream>

namespace holdfast {

namespace {

constexpr std::size_t width = 100;

std::string wrapped(const std::string& text, std::size_t indentation) {
  std::istringstream words(text);
  const std::string margin(indentation, ' ');
  std::string result;
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && indentation + count_characters(line) + 1 + count_characters(word) > width) {
      result += margin + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + margin + line + "\n";
}

/// Without its full stop; one inside a name in backticks ends nothing.
std::string first_sentence(const std::string& text) {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '`') quoted = !quoted;
    const bool ends = text[at] == '.' && !quoted && (at + 1 == text.size() || text[at + 1] == ' ');
    if (ends) return text.substr(0, at);
  }
  return text;
}

std::string format_words(const std::string& format) {
  static const std::map<std::string, std::string> words = {
      {"duration", "duration"},           {"mode", "quoted octal mode"}, {"path", "absolute path"},
      {"relative-path", "relative path"}, {"reference", "Kind/name"},    {"unit", "unit name"},
      {"account", "account name"},        {"package", "package name"},   {"resource-name", "name"}};
  const auto found = words.find(format);
  return found == words.end() ? "" : found->second;
}

std::string type_of(const Value& schema) {
  static const std::map<std::string, std::string> words = {{"string", "text"},   {"integer", "integer"},
                                                           {"number", "number"}, {"boolean", "boolean"},
                                                           {"array", "list"},    {"object", "map"}};
  std::string text;
  for (const std::string& type : schema_types(schema)) {
    const auto word = words.find(type);
    text += (text.empty() ? "" : " or ") + (word == words.end() ? type : word->second);
    const Value* items = schema.find("items");
    if (type == "array" && items != nullptr) text += " of " + type_of(*items);
    const Value* others = schema.find("additionalProperties");
    if (type == "object" && others != nullptr && others->is_map()) text += " of " + type_of(*others);
  }
  const std::string format = format_words(schema.text_or("format", ""));
  if (!format.empty()) text += " (" + format + ")";
  return text.empty() ? "any" : text;
}

std::string shown(const Value& value) {
  return value.is_list() || value.is_map() ? to_json(value) : scalar_words(value);
}

std::string range_of(const Value& schema) {
  const Value* least = schema.find(schema.find("x-min") != nullptr ? "x-min" : "minimum");
  const Value* most = schema.find(schema.find("x-max") != nullptr ? "x-max" : "maximum");
  const std::string unit = schema.find("x-max") != nullptr ? " seconds" : "";
  if (least != nullptr && most != nullptr) return shown(*least) + " to " + shown(*most) + unit;
  if (least != nullptr) return "at least " + shown(*least) + unit;
  return most == nullptr ? "" : "at most " + shown(*most) + unit;
}

/// The schema that has the members of a value: its own, or that of its items, or of what its keys name.
const Value* holder_of(const Value& schema) {
  if (schema.find("properties") != nullptr) return &schema;
  for (const char* keyword : {"items", "additionalProperties"}) {
    const Value* below = schema.find(keyword);
    if (below != nullptr && below->is_map()) return holder_of(*below);
  }
  return nullptr;
}

std::vector<std::string> member_names(const Value* holder) {
  std::vector<std::string> names;
  if (holder == nullptr) return names;
  for (const auto& [name, member] : holder->at("properties").as_map()) names.push_back(name);
  return names;
}

/// A member of a map, of a list's items, or of what stands below a free key.
const Value* member_of(const Value& schema, const std::string& name) {
  const Value* holder = holder_of(schema);
  return holder == nullptr ? nullptr : holder->at("properties").find(name);
}

void line(std::string& text, const std::string& label, const std::string& content) {
  if (content.empty()) return;
  std::string padded = label;
  padded.resize(10, ' ');
  text += padded + wrapped(content, 10).substr(10);
}

std::string fields_of(const Value& schema) {
  const Value* holder = holder_of(schema);
  if (holder == nullptr) return {};
  const Value* required = holder->find("required");
  const std::vector<std::string> needed = required == nullptr ? std::vector<std::string>() : required->as_texts();
  std::string text = "\nFIELDS (* required)\n";
  for (const auto& [name, member] : holder->at("properties").as_map()) {
    const bool is_needed = std::find(needed.begin(), needed.end(), name) != needed.end();
    text += "  " + name + (is_needed ? "*" : "") + "  <" + type_of(member) + ">\n";
    std::string about = first_sentence(member.text_or("description", ""));
    if (const Value* otherwise = member.find("default")) about += " (default " + shown(*otherwise) + ")";
    text += wrapped(about, 6);
  }
  return text;
}

std::string describe(const std::string& kind, const std::string& path, const Value& schema) {
  std::string text;
  line(text, record_schema(kind) != nullptr ? "RECORD" : "KIND", kind);
  line(text, "FIELD", path);
  line(text, "TYPE", path.empty() ? "" : type_of(schema));
  line(text, "DEFAULT", schema.find("default") == nullptr || path.empty() ? "" : shown(schema.at("default")));
  if (const Value* choices = schema.find("enum"); choices != nullptr && !path.empty()) {
    std::vector<std::string> words;
    for (const Value& choice : choices->as_list()) words.push_back(choice.is_text() ? choice.as_text() : shown(choice));
    line(text, "VALUES", quoted_list(words, "and", 50));
  }
  line(text, "RANGE", range_of(schema));
  text += "\n" + wrapped(schema.text_or("description", ""), 2);
  if (const Value* examples = schema.find("examples")) {
    const std::string name = path.substr(path.rfind('.') + 1);
    text += "\nEXAMPLES\n";
    for (const Value& example : examples->as_list()) {
      const bool scalar = !example.is_list() && !example.is_map();
      text += "  " + name + ": " + (scalar ? to_json(example) : shown(example)) + "\n";
    }
  }
  return text + fields_of(schema);
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> names;
  std::istringstream parts(path);
  for (std::string name; std::getline(parts, name, '.');) names.push_back(name);
  return names;
}

/// The member at the end of these names, or the whole without any.
std::string explain_below(const std::string& kind, const Value& schema, const std::vector<std::string>& names) {
  const Value* place = &schema;
  std::string path;
  for (const std::string& name : names) {
    const Value* member = member_of(*place, name);
    if (member == nullptr) {
      const std::vector<std::string> known = member_names(holder_of(*place));
      const std::string hint = nearest_hint(name, known);
      throw Error("unknown field \"" + name + "\" in " + kind + (path.empty() ? "" : "." + path) + ": " +
                  (!hint.empty()   ? hint
                   : known.empty() ? "it has no fields"
                                   : "it has " + quoted_list(known, "and", 30)));
    }
    path += (path.empty() ? "" : ".") + name;
    place = member;
  }
  return describe(kind, path, *place);
}

}  // namespace

std::string explain_kinds() {
  std::size_t widest = 0;
  for (const std::string& kind : kinds()) widest = std::max(widest, kind.size());
  std::string text;
  for (const std::string& kind : kinds()) {
    const std::string about = wrapped(first_sentence(schema_of(kind)->text_or("description", "")), widest + 2);
    text += kind + std::string(widest + 2 - kind.size(), ' ') + about.substr(widest + 2);
  }
  return text;
}

std::string explain_records() {
  std::string text;
  for (const std::string& record : records()) text += (text.empty() ? "" : ", ") + record;
  return text;
}

std::string explain(const std::string& kind, const std::string& field) {
  if (const Value* record = record_schema(kind)) return explain_below(kind, *record, split(field));
  const Value* schema = schema_of(kind);
  if (schema == nullptr) {
    const std::string hint = nearest_hint(kind, kinds());
    throw Error("unknown kind \"" + kind +
                "\": " + (hint.empty() ? "known kinds: " + quoted_list(kinds(), "and", 30) : hint));
  }
  const Value& spec = schema->at("properties").at("spec");
  if (field.empty()) return describe(kind, "", spec);
  std::vector<std::string> names = split(field);
  const bool below_spec = !names.empty() && schema->at("properties").find(names.front()) == nullptr;
  if (below_spec) names.insert(names.begin(), "spec");
  return explain_below(kind, *schema, names);
}

}  // namespace holdfast
