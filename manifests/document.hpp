#pragma once

#include <manifests/problem.hpp>
#include <manifests/value.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast {

/// One YAML document: what it says, and where it says it. Members are named by JSON pointer ("/spec/mode").
struct Document {
  Value root{};
  Position position{};
  /// Where a value was written; for a map or list in a map, where its key was. Never null.
  std::shared_ptr<std::map<std::string, Position>> positions = std::make_shared<std::map<std::string, Position>>();
  std::map<std::string, std::pair<int, int>> keys{};  // line and column of a member's key
  std::map<std::string, std::string> plain{};         // numbers and booleans as they were written, to say how to quote
  std::set<std::string> refused{};                    // members that a problem was already told of

  [[nodiscard]] Position at(const std::string& pointer) const;
  [[nodiscard]] Position key_at(const std::string& pointer) const;
};

/// What one manifest file may cost; over it the file is refused before it is read further.
struct DocumentLimits {
  std::size_t bytes = 1U << 20U;
  std::size_t nodes = 200'000;
  std::size_t depth = 32;
  std::size_t scalar = 256U << 10U;  // bytes of one text
};

struct Parsed {
  std::vector<Document> documents{};  // those read before an error of the syntax ended the file
  std::vector<Problem> problems{};
  std::size_t nodes = 0;
};

/// Reads the strict YAML that manifests are written in (docs/manifests.md): no anchors, aliases, merge keys, tags,
/// duplicate keys, tabs in the indentation, blank values; plain scalars are typed as YAML 1.2 types them, and what
/// older programs type differently is refused. Line ends become LF. Never throws on any bytes.
Parsed parse_documents(const std::string& file, std::string_view bytes, const DocumentLimits& limits = {});

/// `key` as a segment of a JSON pointer.
std::string pointer_segment(std::string_view key);
/// "/spec/hosts/0/name" as people write it: "spec.hosts[0].name".
std::string dotted(std::string_view pointer);

}  // namespace holdfast
