#pragma once

#include <manifests/document.hpp>
#include <manifests/problem.hpp>
#include <manifests/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// All kinds by name, sorted: those that describe resources, and Environment and Controller.
const std::vector<std::string>& kinds();
/// Those that may stand in a fleet: all but Controller.
const std::vector<std::string>& fleet_kinds();

/// The JSON Schema (draft 7, every $ref put in its place) of a kind's whole document; nullptr for an unknown kind.
/// Lives as long as the program.
const Value* schema_of(std::string_view kind);

/// What commands print for programs ("plan"), sorted; and the schema of such a record, nullptr for an unknown one.
const std::vector<std::string>& records();
const Value* record_schema(std::string_view record);

/// Something wrong with a member of a document, before it has a position.
struct Finding {
  std::string pointer{};
  std::string what{};
  std::string hint{};
  enum class Place { value, key } place = Place::value;
  std::string needle{};  // the part of the text that is meant, where it is not all of it
};

Problem to_problem(const Finding& finding, const Document& document);

/// Everything that is wrong with `root`, a document of that kind: unknown keys with the nearest known one, missing
/// ones, types, ranges, forms. `root` is the document's own value or one with variables expanded; members that the
/// document has refused already are passed over. Safe from several threads.
std::vector<Finding> check_schema(std::string_view kind, const Value& root, const Document& document);

/// What the schema of a record finds wrong with one; empty for nothing. Throws Error for an unknown record.
std::vector<Finding> check_record(std::string_view record, const Value& value);

/// Puts in what the schema gives as "default" where `value` has nothing, in depth.
void fill_defaults(const Value& schema, Value& value);

/// A text of a document whose schema has "format": "reference", such as a unit's `loads`, where it has the form of one.
struct FoundReference {
  std::string pointer{};
  std::string text{};
  bool orders = true;  // false with "x-order": false: it must exist, but decides no order
};
std::vector<FoundReference> find_references(const Value& schema, const Value& value, const std::string& pointer = "");

/// A file that must hold exactly one document of one kind, such as the controller's settings.
struct CheckedFile {
  Document document{};
  Value spec{};  // with defaults; empty when there are problems
  std::vector<Problem> problems{};
};
CheckedFile check_file(const std::string& file, std::string_view bytes, std::string_view kind);

}  // namespace holdfast
