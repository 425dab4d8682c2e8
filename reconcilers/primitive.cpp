#include <reconcilers/primitive.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <array>
#include <utility>

namespace holdfast {

namespace {

constexpr std::array<std::pair<PrimitiveType, std::string_view>, 9> type_names = {{
    {PrimitiveType::package, "package"},
    {PrimitiveType::group, "group"},
    {PrimitiveType::user, "user"},
    {PrimitiveType::directory, "directory"},
    {PrimitiveType::tree, "tree"},
    {PrimitiveType::command, "command"},
    {PrimitiveType::file, "file"},
    {PrimitiveType::link, "link"},
    {PrimitiveType::unit, "unit"},
}};

constexpr std::size_t max_primitives = 20'000;

}  // namespace

std::string_view to_text(PrimitiveType type) {
  for (const auto& [known, name] : type_names) {
    if (known == type) return name;
  }
  return "unknown";
}

PrimitiveType primitive_type(std::string_view text) {
  for (const auto& [type, name] : type_names) {
    if (name == text) return type;
  }
  throw Error("expected a primitive's type, found \"" + std::string(text) + "\"");
}

std::string to_text(const PrimitiveId& id) { return std::string(to_text(id.type)) + ":" + id.name; }

PrimitiveId primitive_id(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) {
    throw Error("expected a primitive such as \"file:/etc/motd\", found \"" + std::string(text) + "\"");
  }
  return {primitive_type(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

Value to_value(const Origin& origin) {
  return Map{{"resource", origin.resource},
             {"file", origin.position.file},
             {"line", origin.position.line},
             {"column", origin.position.column}};
}

Origin origin_from(const Value& value) {
  return {.resource = value.text_or("resource", ""),
          .position = {.file = value.text_or("file", ""),
                       .line = static_cast<int>(value.int_or("line", 0)),
                       .column = static_cast<int>(value.int_or("column", 0))}};
}

Wanted wanted_from(const Value& value) {
  Wanted wanted;
  wanted.id = primitive_id(value.at("id").as_text());
  wanted.attributes = value.at("attributes").as_map();
  if (const Value* parameters = value.find("parameters")) wanted.parameters = parameters->as_map();
  if (const Value* after = value.find("after")) {
    for (const Value& id : after->as_list()) wanted.after.push_back(primitive_id(id.as_text()));
  }
  if (const Value* origin = value.find("origin")) wanted.origin = origin_from(*origin);
  return wanted;
}

Value to_value(const Wanted& wanted) {
  Value value = Map{{"id", to_text(wanted.id)}, {"attributes", wanted.attributes}, {"origin", to_value(wanted.origin)}};
  if (!wanted.parameters.empty()) value["parameters"] = wanted.parameters;
  List after;
  for (const PrimitiveId& id : wanted.after) after.emplace_back(to_text(id));
  if (!after.empty()) value["after"] = std::move(after);
  return value;
}

Value to_value(const Validator& validator) {
  return Map{{"name", validator.name},
             {"argv", Value::texts(validator.argv)},
             {"folders", Value::texts(validator.folders)},
             {"origin", to_value(validator.origin)}};
}

Validator validator_from(const Value& value) {
  return {.name = value.at("name").as_text(),
          .argv = value.at("argv").as_texts(),
          .folders = value.at("folders").as_texts(),
          .origin = value.find("origin") == nullptr ? Origin{} : origin_from(value.at("origin"))};
}

Value to_value(const Bundle& bundle) {
  List wanted;
  for (const Wanted& one : bundle.wanted) wanted.push_back(to_value(one));
  List validators;
  for (const Validator& one : bundle.validators) validators.push_back(to_value(one));
  return Map{{"environment", bundle.environment}, {"host", bundle.host},
             {"commit", bundle.commit},           {"prune", bundle.prune},
             {"wanted", std::move(wanted)},       {"validators", std::move(validators)}};
}

Bundle bundle_from(const Value& value) {
  Bundle bundle;
  bundle.environment = value.at("environment").as_text();
  bundle.host = value.at("host").as_text();
  bundle.commit = value.at("commit").as_text();
  bundle.prune = value.at("prune").as_bool();
  const List& wanted = value.at("wanted").as_list();
  if (wanted.size() > max_primitives)
    throw Error("bundle of " + std::to_string(wanted.size()) + " primitives is too large");
  for (const Value& one : wanted) bundle.wanted.push_back(wanted_from(one));
  for (const Value& one : value.at("validators").as_list()) bundle.validators.push_back(validator_from(one));
  return bundle;
}

std::string digest_of(const Bundle& bundle) {
  Bundle identity = bundle;
  identity.commit.clear();
  for (Wanted& one : identity.wanted) one.origin = {};
  for (Validator& one : identity.validators) one.origin = {};
  return sha256(to_json(to_value(identity)));
}

}  // namespace holdfast
