#pragma once

#include <manifests/value.hpp>

#include <cstddef>
#include <string>

namespace holdfast {

/// One scalar of a manifest file is given another value, and every other byte stays as it is, comments included.
/// `document` counts from 0; `pointer` names a member of a map ("/spec/mode"). A member that is missing is written
/// before the first one of its map. What comes out is read again, and is what went in but for that member; throws Error
/// that says why where that can't be had.
std::string with_member(const std::string& file, const std::string& bytes, std::size_t document,
                        const std::string& pointer, const Value& value);

}  // namespace holdfast
