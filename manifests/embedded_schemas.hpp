#pragma once

#include <span>
#include <string_view>

namespace holdfast {

/// A file of schemas/, compiled in.
struct EmbeddedSchema {
  std::string_view name{};  // "env_file"
  std::string_view text{};
};

std::span<const EmbeddedSchema> embedded_schemas();

}  // namespace holdfast
