#include <manifests/embedded_schemas.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/schema.hpp>

#include <algorithm>
#include <map>

namespace holdfast {

namespace {

constexpr int deepest_reference = 8;

using Schemas = std::map<std::string, Value, std::less<>>;

Schemas parse_embedded() {
  Schemas schemas;
  for (const EmbeddedSchema& schema : embedded_schemas()) {
    schemas[std::string(schema.name)] = while_doing("reading schemas/" + std::string(schema.name) + ".schema.json",
                                                    [&] { return from_json(schema.text); });
  }
  return schemas;
}

/// Follows "/definitions/x" in a schema.
const Value& follow(const Value& schema, std::string_view pointer) {
  const Value* place = &schema;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view segment = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(segment.size());
    place = &place->at(segment);
  }
  return *place;
}

/// Puts what a $ref names ("check.schema.json", "check.schema.json#/definitions/x", "#/definitions/x") in its place;
/// the members beside it go over it. What stays is one schema without references.
Value resolved(const Schemas& schemas, const Value& root, const Value& schema, int depth) {
  if (depth > deepest_reference) throw Error("a schema refers to itself");
  if (schema.is_list()) {
    List items;
    for (const Value& item : schema.as_list()) items.push_back(resolved(schemas, root, item, depth));
    return items;
  }
  if (!schema.is_map()) return schema;
  Map members;
  for (const auto& [key, member] : schema.as_map()) {
    if (key != "$ref" && key != "$schema") members[key] = resolved(schemas, root, member, depth);
  }
  const Value* reference = schema.find("$ref");
  if (reference == nullptr || !reference->is_text()) return members;
  const std::string& text = reference->as_text();
  const std::size_t hash = std::min(text.find('#'), text.size());
  const std::string file = text.substr(0, std::min(text.find(".schema.json"), hash));
  const auto found = schemas.find(file);
  if (!file.empty() && found == schemas.end()) throw Error("a schema refers to the unknown schema \"" + text + "\"");
  const Value& other = file.empty() ? root : found->second;
  const Value& target = follow(other, std::string_view(text).substr(std::min(hash + 1, text.size())));
  return overlay(resolved(schemas, other, target, depth + 1).as_map(), members);
}

/// A kind's schema describes its spec; around it goes what every manifest has.
Value whole_document(const Value& common, const std::string& kind, const Value& spec) {
  Value document = common;
  document["title"] = kind;
  document["description"] = spec.text_or("description", "");
  Value& properties = document["properties"];
  properties["kind"]["enum"] = List{kind};
  properties["spec"] = spec;
  return document;
}

Schemas build_records() {
  const Schemas files = parse_embedded();
  Schemas found;
  for (const auto& [name, schema] : files) {
    if (!schema.bool_or("x-record", false)) continue;
    Value whole = while_doing("reading schemas/" + name + ".schema.json",
                              [&, &held = schema] { return resolved(files, held, held, 0); });
    whole.as_map().erase("definitions");  // all of it stands where it is referred to
    found[schema.at("title").as_text()] = std::move(whole);
  }
  return found;
}

const Schemas& record_schemas() {
  static const Schemas all = build_records();
  return all;
}

Schemas build() {
  const Schemas files = parse_embedded();
  Schemas documents;
  for (const auto& [name, schema] : files) {
    const std::string kind = schema.text_or("title", "");
    const bool is_kind = !kind.empty() && kind.front() >= 'A' && kind.front() <= 'Z';
    if (!is_kind) continue;
    documents[kind] = while_doing("reading schemas/" + name + ".schema.json", [&, &held = schema] {
      return whole_document(files.at("common"), kind, resolved(files, held, held, 0));
    });
  }
  return documents;
}

const Schemas& documents() {
  static const Schemas all = build();
  return all;
}

}  // namespace

const std::vector<std::string>& kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found;
    for (const auto& [kind, schema] : documents()) found.push_back(kind);
    return found;
  }();
  return names;
}

const std::vector<std::string>& fleet_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found;
    for (const std::string& kind : kinds()) {
      if (kind != "Controller") found.push_back(kind);
    }
    return found;
  }();
  return names;
}

const std::vector<std::string>& records() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found;
    for (const auto& [record, schema] : record_schemas()) found.push_back(record);
    return found;
  }();
  return names;
}

const Value* record_schema(std::string_view record) {
  const auto found = record_schemas().find(record);
  return found == record_schemas().end() ? nullptr : &found->second;
}

const Value* schema_of(std::string_view kind) {
  const auto found = documents().find(kind);
  return found == documents().end() ? nullptr : &found->second;
}

}  // namespace holdfast
