#include <manifests/diagnosis.hpp>
#include <manifests/formats.hpp>
#include <manifests/schema.hpp>

namespace holdfast {

namespace {

/// The schemas that hold for a value beside `schema` itself: of allOf all, of oneOf and anyOf the first that fits.
std::vector<const Value*> parts_of(const Value& schema, const Value& value) {
  std::vector<const Value*> parts;
  if (const Value* all = schema.find("allOf")) {
    for (const Value& part : all->as_list()) parts.push_back(&part);
  }
  for (const char* keyword : {"oneOf", "anyOf"}) {
    const Value* branches = schema.find(keyword);
    if (branches == nullptr) continue;
    for (const Value& branch : branches->as_list()) {
      if (!fits(branch, value)) continue;
      parts.push_back(&branch);
      break;
    }
  }
  if (const Value* condition = schema.find("if")) {
    if (const Value* then = schema.find(fits(*condition, value) ? "then" : "else")) parts.push_back(then);
  }
  return parts;
}

const Value* member_schema(const Value& schema, const std::string& key) {
  const Value* properties = schema.find("properties");
  const Value* property = properties == nullptr ? nullptr : properties->find(key);
  if (property != nullptr) return property;
  const Value* others = schema.find("additionalProperties");
  return others != nullptr && others->is_map() ? others : nullptr;
}

void collect(const Value& schema, const Value& value, const std::string& pointer, std::vector<FoundReference>& found) {
  const bool is_reference = value.is_text() && schema.text_or("format", "") == "reference";
  if (is_reference && !format_fault(schema, value.as_text())) {
    found.push_back({pointer, value.as_text(), schema.bool_or("x-order", true)});
  }
  const Value* items = schema.find("items");
  if (value.is_list() && items != nullptr && items->is_map()) {
    for (std::size_t index = 0; index < value.as_list().size(); ++index) {
      collect(*items, value.as_list()[index], pointer + "/" + std::to_string(index), found);
    }
  }
  if (value.is_map()) {
    for (const auto& [key, member] : value.as_map()) {
      const Value* below = member_schema(schema, key);
      if (below != nullptr) collect(*below, member, pointer + "/" + pointer_segment(key), found);
    }
  }
  for (const Value* part : parts_of(schema, value)) collect(*part, value, pointer, found);
}

}  // namespace

void fill_defaults(const Value& schema, Value& value) {
  const Value* properties = schema.find("properties");
  if (value.is_map() && properties != nullptr) {
    for (const auto& [key, property] : properties->as_map()) {
      const Value* otherwise = property.find("default");
      if (otherwise != nullptr && value.find(key) == nullptr) value[key] = *otherwise;
    }
  }
  if (value.is_map()) {
    for (auto& [key, member] : value.as_map()) {
      if (const Value* below = member_schema(schema, key)) fill_defaults(*below, member);
    }
  }
  const Value* items = schema.find("items");
  if (value.is_list() && items != nullptr && items->is_map()) {
    for (Value& item : value.as_list()) fill_defaults(*items, item);
  }
  for (const Value* part : parts_of(schema, value)) fill_defaults(*part, value);
}

std::vector<FoundReference> find_references(const Value& schema, const Value& value, const std::string& pointer) {
  std::vector<FoundReference> found;
  collect(schema, value, pointer, found);
  return found;
}

CheckedFile check_file(const std::string& file, std::string_view bytes, std::string_view kind) {
  CheckedFile checked;
  Parsed parsed = parse_documents(file, bytes);
  checked.problems = std::move(parsed.problems);
  if (parsed.documents.size() > 1) {
    checked.problems.push_back(
        {parsed.documents[1].position, "expected one document, found another", "one manifest belongs here", "", {}});
  }
  if (parsed.documents.empty()) return checked;
  checked.document = std::move(parsed.documents.front());
  for (const Finding& finding : check_schema(kind, checked.document.root, checked.document)) {
    checked.problems.push_back(to_problem(finding, checked.document));
  }
  sort_problems(checked.problems);
  if (!checked.problems.empty()) return checked;
  Value root = checked.document.root;
  fill_defaults(*schema_of(kind), root);
  checked.spec = root.at("spec");
  return checked;
}

}  // namespace holdfast
