#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// A version as Semantic Versioning 2.0 has it. What is built of it ("+build") has no part in its order, so none here.
struct Version {
  std::vector<std::string> core{};        // major, minor, patch: decimal digits of any length, without leading zeros
  std::vector<std::string> prerelease{};  // empty: a release
};

/// The version that a name ends with ("v1.4.2", "api-v1.4.2-rc.1+7"); nullopt where it ends with none.
std::optional<Version> version_in(std::string_view name);

/// The precedence of Semantic Versioning 2.0, item 11.
std::strong_ordering compare(const Version& a, const Version& b);

}  // namespace holdfast
