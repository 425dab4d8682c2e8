#pragma once

#include <manifests/document.hpp>
#include <manifests/schema.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// Says in words for people what is wrong with a value under a schema: all of it, each at the member that is to blame.
/// Knows the keywords that our schemas use and the forms of texts ("format"); the validator in schema.cpp judges what
/// it accepts once more.
std::vector<Finding> diagnose(const Value& schema, const Value& value, const Document& document);

/// True where nothing is wrong with the value: decides between the branches of oneOf, anyOf and if.
bool fits(const Value& schema, const Value& value);

}  // namespace holdfast
