#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

namespace holdfast {

// The one instance of each primitive, made in its own file.
const PrimitiveKind& package_primitive();
const PrimitiveKind& group_primitive();
const PrimitiveKind& user_primitive();
const PrimitiveKind& directory_primitive();
const PrimitiveKind& tree_primitive();
const PrimitiveKind& command_primitive();
const PrimitiveKind& file_primitive();
const PrimitiveKind& link_primitive();
const PrimitiveKind& unit_primitive();

}  // namespace holdfast
