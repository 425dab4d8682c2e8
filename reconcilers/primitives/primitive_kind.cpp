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

std::optional<Expected> expected_before(const Effects& effects) {
  if (effects.from == nullptr) return std::nullopt;
  const Value from = *effects.from;
  Expected expected{.present = from.bool_or("present", true),
                    .content = from.text_or("content", ""),
                    .target = from.text_or("target", "")};
  if (const Value* mode = from.find("mode")) expected.mode = static_cast<std::uint32_t>(mode->as_int());
  if (expected.present && expected.content.empty() && expected.target.empty()) return std::nullopt;
  return expected;
}

}  // namespace holdfast
