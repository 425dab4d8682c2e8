#pragma once

#include <manifests/problem.hpp>
#include <manifests/value.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// "Release/cvd": how a manifest names a resource, and how every change shown to people names its origin.
struct ResourceId {
  std::string kind{};
  std::string name{};
  friend auto operator<=>(const ResourceId&, const ResourceId&) = default;
};
std::string to_text(const ResourceId& id);

/// One manifest document for one host: variables expanded, schema checked, defaults filled in.
struct Resource {
  ResourceId id{};
  Value spec{};                     // a map
  std::vector<ResourceId> after{};  // metadata.after
  Position position{};              // of the document
  /// By JSON pointer into the document, "/spec/mode": where a value was written (a map or list: its key). Shared by all
  /// hosts that have the resource; may be null.
  std::shared_ptr<const std::map<std::string, Position>> positions{};
  std::string folder{};  // of the manifest file: `source:` is relative to it
  bool partial = false;  // members that are wrong were left out: good for finding more problems only

  /// Where a member was written; the document's place for one that came from a default.
  [[nodiscard]] Position at(const std::string& pointer) const;
};

}  // namespace holdfast
