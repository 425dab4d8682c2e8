#pragma once

#include <manifests/environment.hpp>
#include <manifests/manifest.hpp>
#include <manifests/schema.hpp>

#include <vector>

namespace holdfast {

struct ReadEnvironment {
  Environment environment{};        // complete where there are no findings
  std::vector<Finding> findings{};  // of the schema and of what a schema can't say
};

/// An Environment out of its manifest.
ReadEnvironment read_environment(const Document& document);

}  // namespace holdfast
