#include <manifests/selection.hpp>

#include <manifests/text.hpp>

#include <algorithm>

namespace holdfast {

namespace {

bool has_labels(const Host& host, const std::map<std::string, std::string>& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto found = host.labels.find(label.first);
    return found != host.labels.end() && found->second == label.second;
  });
}

bool has_host(const std::vector<Host>& hosts, const std::string& name) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const Host& host) { return host.name == name; });
}

std::vector<std::string> names_of(const std::vector<Host>& hosts) {
  std::vector<std::string> names;
  for (const Host& host : hosts) names.push_back(host.name);
  return names;
}

std::string labels_hint(const Selector& selector, const std::vector<Host>& hosts) {
  std::vector<std::string> known;
  for (const Host& host : hosts) {
    for (const auto& [name, value] : host.labels) {
      const std::string label = name + ": " + value;
      if (std::find(known.begin(), known.end(), label) == known.end()) known.push_back(label);
    }
  }
  for (const auto& [name, value] : selector.labels) {
    const std::string hint = nearest_hint(name + ": " + value, known);
    if (!hint.empty()) return hint;
  }
  return known.empty() ? "no host of the environment has labels"
                       : "labels of its hosts: " + quoted_list(known, "and", 10);
}

}  // namespace

bool Selector::takes(const Host& host) const {
  if (everywhere) return true;
  if (std::find(names.begin(), names.end(), host.name) != names.end()) return true;
  return !labels.empty() && has_labels(host, labels);
}

Selector selector_of(const Value& root) {
  Selector selector;
  const Value* metadata = root.find("metadata");
  const Value* hosts = metadata == nullptr ? nullptr : metadata->find("hosts");
  if (hosts == nullptr) return selector;
  selector.everywhere = false;
  if (hosts->is_list()) {
    for (const Value& name : hosts->as_list()) {
      if (name.is_text()) selector.names.push_back(name.as_text());
    }
  }
  if (hosts->is_map()) {
    for (const auto& [name, value] : hosts->as_map()) {
      if (value.is_text()) selector.labels[name] = value.as_text();
    }
  }
  return selector;
}

std::vector<Finding> check_selector(const Selector& selector, const std::vector<Host>& hosts,
                                    const std::vector<Host>& others) {
  std::vector<Finding> findings;
  for (std::size_t index = 0; index < selector.names.size(); ++index) {
    const std::string& name = selector.names[index];
    if (has_host(hosts, name) || has_host(others, name)) continue;
    std::string hint = nearest_hint(name, names_of(hosts));
    if (hint.empty()) hint = "its hosts: " + quoted_list(names_of(hosts), "and");
    findings.push_back({"/metadata/hosts/" + std::to_string(index), "unknown host \"" + name + "\" in the environment",
                        hint, Finding::Place::value, ""});
  }
  const auto taken = [&](const Host& host) { return selector.takes(host); };
  const bool selects =
      std::any_of(hosts.begin(), hosts.end(), taken) || std::any_of(others.begin(), others.end(), taken);
  if (selects || selector.labels.empty()) return findings;
  findings.push_back({"/metadata/hosts", "no host of the environment has the labels that \"metadata.hosts\" asks for",
                      labels_hint(selector, hosts), Finding::Place::key, ""});
  return findings;
}

}  // namespace holdfast
