#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast {

class Value;
using List = std::vector<Value>;
/// Keys are sorted, so that equal values have equal canonical text.
using Map = std::map<std::string, Value, std::less<>>;

/// The one currency of holdfast: a manifest's content, a primitive's attributes, a message to a host, a journal record.
/// Compared, overlaid, printed and digested by code that is written once (here, and json.hpp for its text).
/// Owns what it holds. The `as_…` accessors throw Error when the type is another.
class Value {
 public:
  enum class Type { null, boolean, integer, real, text, list, map };

  Value() = default;
  Value(bool value) : data_(value) {}
  Value(int value) : data_(static_cast<std::int64_t>(value)) {}
  Value(unsigned value) : data_(static_cast<std::int64_t>(value)) {}
  Value(std::int64_t value) : data_(value) {}
  Value(std::uint64_t value) : data_(static_cast<std::int64_t>(value)) {}
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(List value) : data_(std::move(value)) {}
  Value(Map value) : data_(std::move(value)) {}
  /// A list of texts, such as an argument list.
  static Value texts(const std::vector<std::string>& values);

  [[nodiscard]] Type type() const { return static_cast<Type>(data_.index()); }
  [[nodiscard]] bool is_null() const { return type() == Type::null; }
  [[nodiscard]] bool is_text() const { return type() == Type::text; }
  [[nodiscard]] bool is_list() const { return type() == Type::list; }
  [[nodiscard]] bool is_map() const { return type() == Type::map; }

  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int() const;
  /// Takes an integer too.
  [[nodiscard]] double as_real() const;
  [[nodiscard]] const std::string& as_text() const;
  [[nodiscard]] const List& as_list() const;
  [[nodiscard]] const Map& as_map() const;
  [[nodiscard]] List& as_list();
  [[nodiscard]] Map& as_map();
  /// A list of texts as plain strings.
  [[nodiscard]] std::vector<std::string> as_texts() const;

  /// The member of that name; nullptr where this is no map, has no such member, or the member is null.
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// The member of that name; throws Error that names the key where it is missing.
  [[nodiscard]] const Value& at(std::string_view key) const;
  /// Makes a null value a map, and the member where it is missing.
  Value& operator[](const std::string& key);

  [[nodiscard]] std::string text_or(std::string_view key, std::string_view otherwise) const;
  [[nodiscard]] std::int64_t int_or(std::string_view key, std::int64_t otherwise) const;
  [[nodiscard]] bool bool_or(std::string_view key, bool otherwise) const;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data_{};
};

/// The name of a type as errors say it: "text", "integer", "list", …
std::string_view type_name(Value::Type type);

/// A primitive's attributes; absent keys are unmanaged.
using Attributes = Map;

/// `base` with every member of `over` put on top (one level: a member is replaced whole).
Attributes overlay(const Attributes& base, const Attributes& over);

}  // namespace holdfast
