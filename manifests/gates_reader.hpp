#pragma once

#include <manifests/environment.hpp>
#include <manifests/manifest.hpp>
#include <manifests/schema.hpp>

#include <vector>

namespace holdfast {

/// The gates of an Environment's spec that its schema has accepted; what a schema can't say is found.
GatesPolicy read_gates(const Value& spec, const Document& document, std::vector<Finding>& findings);

/// Gates that name another environment, once all are read: fills in its hosts; a name that is none, an environment that
/// waits for itself and two that wait for each other are problems.
void resolve_gates(std::vector<Environment>& environments, std::vector<Problem>& problems);

}  // namespace holdfast
