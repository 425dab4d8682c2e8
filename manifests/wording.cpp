#include <manifests/wording.hpp>

#include <manifests/json.hpp>
#include <manifests/text.hpp>

#include <algorithm>
#include <map>

namespace holdfast {

namespace {

std::string cut(const std::string& text) {
  constexpr std::size_t most = 60;
  const std::string line = text.substr(0, text.find('\n'));
  if (line.size() <= most && line.size() == text.size()) return text;
  std::size_t end = std::min(line.size(), most);
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

std::string word_of(const std::string& type) {
  static const std::map<std::string, std::string> words = {{"string", "a text"},   {"integer", "an integer"},
                                                           {"number", "a number"}, {"boolean", "true or false"},
                                                           {"array", "a list"},    {"object", "a map"}};
  const auto found = words.find(type);
  return found == words.end() ? type : found->second;
}

bool takes(const Value& schema, std::string_view type) {
  const std::vector<std::string> types = schema_types(schema);
  return std::find(types.begin(), types.end(), type) != types.end();
}

}  // namespace

std::string scalar_words(const Value& value) {
  return value.is_text() ? "\"" + cut(value.as_text()) + "\"" : to_json(value);
}

std::string found_words(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return "nothing";
    case Value::Type::list:
      return "a list";
    case Value::Type::map:
      return "a map";
    case Value::Type::boolean:
      return scalar_words(value);
    default:
      return "the " + std::string(type_name(value.type())) + " " + scalar_words(value);
  }
}

std::vector<std::string> schema_types(const Value& schema) {
  const Value* type = schema.find("type");
  if (type == nullptr) return {};
  return type->is_list() ? type->as_texts() : std::vector<std::string>{type->as_text()};
}

std::string expected_words(const Value& schema) {
  const std::vector<std::string> types = schema_types(schema);
  std::string words;
  for (std::size_t index = 0; index < types.size(); ++index) {
    if (index > 0) words += index + 1 == types.size() ? " or " : ", ";
    words += word_of(types[index]);
  }
  return words;
}

bool has_type(const Value& value, std::string_view type) {
  switch (value.type()) {
    case Value::Type::null:
      return type == "null";
    case Value::Type::boolean:
      return type == "boolean";
    case Value::Type::integer:
      return type == "integer" || type == "number";
    case Value::Type::real:
      return type == "number";
    case Value::Type::text:
      return type == "string";
    case Value::Type::list:
      return type == "array";
    case Value::Type::map:
      return type == "object";
  }
  return false;
}

std::string type_hint(const Value& schema, const Value& value, const std::string& written) {
  const bool scalar = !value.is_list() && !value.is_map() && !value.is_null();
  if (takes(schema, "string") && scalar && !value.is_text()) {
    if (schema.text_or("format", "") == "mode") return "write a quoted octal mode such as \"0644\"";
    return "write \"" + (written.empty() ? to_json(value) : written) + "\" in quotes";
  }
  if (schema_types(schema) == std::vector<std::string>{"array"} && scalar)
    return "write a list: [" + scalar_words(value) + "]";
  if (schema_types(schema) == std::vector<std::string>{"object"}) return "write members as \"key: value\"";
  const bool number = takes(schema, "integer") || takes(schema, "number");
  const bool digits = value.is_text() && !value.as_text().empty() &&
                      value.as_text().find_first_not_of("0123456789") == std::string::npos;
  if (number && digits) return "take the quotes away";
  if (takes(schema, "boolean") && value.is_text()) return "write true or false, without quotes";
  return {};
}

}  // namespace holdfast
