#include <reconcilers/tree_digest.hpp>

#include <manifests/digest.hpp>
#include <manifests/json.hpp>

#include <map>

namespace holdfast {

std::string tree_digest(const List& entries) {
  std::map<std::string, Value> by_path;
  for (const Value& entry : entries) {
    const std::string& path = entry.at("path").as_text();
    const Value* target = entry.find("target");
    by_path[path] =
        target == nullptr ? List{path, entry.at("mode"), "file", entry.at("content")} : List{path, 0, "link", *target};
  }
  List sorted;
  for (auto& [path, identity] : by_path) sorted.push_back(std::move(identity));
  return sha256(to_json(sorted));
}

}  // namespace holdfast
