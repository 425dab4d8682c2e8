#pragma once

#include <reconcilers/kinds/lowering.hpp>

#include <string_view>
#include <vector>

namespace holdfast {

/// One kind of resource: its name in manifests and the pure function that turns a resource into primitives, checks and
/// content. All of a kind is in one file, reconcilers/kinds/<kind>.cpp, which defines `Kind <kind>_kind()`.
struct Kind {
  std::string_view name{};
  void (*lower)(Lowering& to) = nullptr;
};

/// Every kind of schemas/kinds.cmake.
const std::vector<Kind>& resource_kinds();

}  // namespace holdfast
