#pragma once

#include <string>

namespace holdfast {

/// What `holdfast explain` prints without arguments: every kind and what it is for, one a line.
std::string explain_kinds();

/// The records that commands print for programs: "plan".
std::string explain_records();

/// A kind, or a field of it: what it is for, type, default, values, examples, and the fields in it. `field` is a path
/// such as "spec.mode" or "mode" (below spec); "" for the kind itself. Throws Error for an unknown one, naming the
/// nearest.
std::string explain(const std::string& kind, const std::string& field);

}  // namespace holdfast
