#include <manifests/value.hpp>

#include <manifests/error.hpp>

namespace holdfast {

namespace {

template <typename Wanted, typename Data>
auto& expect(Data& data, std::string_view wanted, Value::Type found) {
  if (auto* held = std::get_if<Wanted>(&data)) return *held;
  throw Error("expected " + std::string(wanted) + ", found " + std::string(type_name(found)));
}

}  // namespace

std::string_view type_name(Value::Type type) {
  switch (type) {
    case Value::Type::null:
      return "nothing";
    case Value::Type::boolean:
      return "boolean";
    case Value::Type::integer:
      return "integer";
    case Value::Type::real:
      return "number";
    case Value::Type::text:
      return "text";
    case Value::Type::list:
      return "list";
    case Value::Type::map:
      return "map";
  }
  return "unknown";
}

Value Value::texts(const std::vector<std::string>& values) { return List(values.begin(), values.end()); }

bool Value::as_bool() const { return expect<bool>(data_, "boolean", type()); }

std::int64_t Value::as_int() const { return expect<std::int64_t>(data_, "integer", type()); }

double Value::as_real() const {
  if (type() == Type::integer) return static_cast<double>(as_int());
  return expect<double>(data_, "number", type());
}

const std::string& Value::as_text() const { return expect<std::string>(data_, "text", type()); }

const List& Value::as_list() const { return expect<List>(data_, "list", type()); }

const Map& Value::as_map() const { return expect<Map>(data_, "map", type()); }

List& Value::as_list() { return expect<List>(data_, "list", type()); }

Map& Value::as_map() { return expect<Map>(data_, "map", type()); }

std::vector<std::string> Value::as_texts() const {
  std::vector<std::string> texts;
  for (const Value& item : as_list()) texts.push_back(item.as_text());
  return texts;
}

const Value* Value::find(std::string_view key) const {
  const Map* map = std::get_if<Map>(&data_);
  if (map == nullptr) return nullptr;
  const auto found = map->find(key);
  return found == map->end() || found->second.is_null() ? nullptr : &found->second;
}

const Value& Value::at(std::string_view key) const {
  const Value* found = find(key);
  if (found == nullptr) throw Error("expected a member \"" + std::string(key) + "\", found none");
  return *found;
}

Value& Value::operator[](const std::string& key) {
  if (is_null()) data_ = Map();
  return as_map()[key];
}

std::string Value::text_or(std::string_view key, std::string_view otherwise) const {
  const Value* found = find(key);
  return found == nullptr ? std::string(otherwise) : found->as_text();
}

std::int64_t Value::int_or(std::string_view key, std::int64_t otherwise) const {
  const Value* found = find(key);
  return found == nullptr ? otherwise : found->as_int();
}

bool Value::bool_or(std::string_view key, bool otherwise) const {
  const Value* found = find(key);
  return found == nullptr ? otherwise : found->as_bool();
}

Attributes overlay(const Attributes& base, const Attributes& over) {
  Attributes result = base;
  for (const auto& [key, value] : over) result.insert_or_assign(key, value);
  return result;
}

}  // namespace holdfast
