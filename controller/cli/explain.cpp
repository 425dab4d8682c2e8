#include <manifests/explain.hpp>

#include <controller/cli/basic_commands.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>
#include <manifests/schema.hpp>

#include <algorithm>
#include <ostream>

namespace holdfast {

namespace {

Value with_dialect(Value schema) {
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  return schema;
}

}  // namespace

int explain_command(const std::string& topic, bool json, std::ostream& out) {
  std::string text;
  if (topic.empty()) {
    text = explain_kinds() + "\nWhat `--output json` prints: " + explain_records() + "\n";
  } else if (json) {
    const Value* schema = record_schema(topic) != nullptr ? record_schema(topic) : schema_of(topic);
    if (schema == nullptr)
      throw Error("there is no schema of \"" + printable(topic) + "\"; `holdfast explain` lists them");
    text = to_pretty_json(with_dialect(*schema));
  } else {
    const std::size_t dot = std::min(topic.find('.'), topic.size());
    text = explain(topic.substr(0, dot), dot < topic.size() ? topic.substr(dot + 1) : "");
  }
  out << text;
  if (text.empty() || text.back() != '\n') out << "\n";
  return 0;
}

}  // namespace holdfast
