#include <controller/cli/lone_fleet.hpp>

#include <manifests/document.hpp>

#include <algorithm>

namespace holdfast {

namespace {

void add_hosts(Environment& environment, const Document& document) {
  const Value* metadata = document.root.find("metadata");
  const Value* wanted = metadata == nullptr ? nullptr : metadata->find("hosts");
  if (wanted == nullptr) return;
  if (wanted->is_map()) {
    Host host{.name = "host" + std::to_string(environment.hosts.size() + 1)};
    for (const auto& [name, value] : wanted->as_map()) {
      if (value.is_text()) host.labels[name] = value.as_text();
    }
    environment.hosts.push_back(std::move(host));
  }
  if (!wanted->is_list()) return;
  for (const Value& name : wanted->as_list()) {
    const auto known = [&](const Host& host) { return name.is_text() && host.name == name.as_text(); };
    if (!name.is_text() || std::any_of(environment.hosts.begin(), environment.hosts.end(), known)) continue;
    environment.hosts.push_back({.name = name.as_text()});
  }
}

/// Every NAME of a "${NAME}".
void add_variables(Environment& environment, const std::string& text) {
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) return;
    const std::string name = text.substr(at + 2, end - at - 2);
    if (name != "host" && name != "environment") environment.vars[name] = "x";
  }
}

}  // namespace

Environment lone_environment(const Tree& tree, const LoadOptions& options) {
  Environment environment{.name = "none", .track = {.branch = "none"}, .hosts = {{.name = "host"}}};
  for (const std::string& file : manifest_paths(tree, options)) {
    const auto bytes = tree.read(file, DocumentLimits().bytes);
    if (!bytes) continue;
    add_variables(environment, *bytes);
    for (const Document& document : parse_documents(file, *bytes).documents) add_hosts(environment, document);
  }
  return environment;
}

void forget_variables(std::vector<Problem>& problems) {
  std::erase_if(problems, [](const Problem& problem) { return problem.line_text.find("${") != std::string::npos; });
}

}  // namespace holdfast
