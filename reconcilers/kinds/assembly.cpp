#include <reconcilers/kinds/assembly.hpp>

#include <utility>

namespace holdfast {

Wanted* Assembly::find(const PrimitiveId& id) {
  const auto found = index.find(id);
  return found == index.end() ? nullptr : &wanted[found->second];
}

void Assembly::problem(const Position& where, std::string what, std::string hint, std::vector<Position> also) {
  Problem found;
  found.where = where;
  found.what = std::move(what);
  found.hint = std::move(hint);
  found.also = std::move(also);
  problems.push_back(std::move(found));
}

bool is_path(PrimitiveType type) {
  return type == PrimitiveType::directory || type == PrimitiveType::tree || type == PrimitiveType::file ||
         type == PrimitiveType::link;
}

bool is_present(const Wanted& wanted) {
  const auto present = wanted.attributes.find("present");
  return present == wanted.attributes.end() || present->second.as_bool();
}

std::string parent_path(const std::string& path) {
  if (path == "/") return {};
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace holdfast
