#include <reconcilers/primitives/kinds.hpp>

#include <manifests/error.hpp>

namespace holdfast {

const PrimitiveKind& primitive_kind(PrimitiveType type) {
  switch (type) {
    case PrimitiveType::package:
      return package_primitive();
    case PrimitiveType::group:
      return group_primitive();
    case PrimitiveType::user:
      return user_primitive();
    case PrimitiveType::directory:
      return directory_primitive();
    case PrimitiveType::tree:
      return tree_primitive();
    case PrimitiveType::command:
      return command_primitive();
    case PrimitiveType::file:
      return file_primitive();
    case PrimitiveType::link:
      return link_primitive();
    case PrimitiveType::unit:
      return unit_primitive();
  }
  throw Error("there is no such primitive");
}

}  // namespace holdfast
