#include <manifests/resource.hpp>

namespace holdfast {

std::string to_text(const ResourceId& id) { return id.kind + "/" + id.name; }

Position Resource::at(const std::string& pointer) const {
  if (positions == nullptr) return position;
  const auto found = positions->find(pointer);
  return found == positions->end() ? position : found->second;
}

}  // namespace holdfast
