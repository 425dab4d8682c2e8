#pragma once

#include <manifests/environment.hpp>
#include <manifests/manifest.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// metadata.hosts: which hosts get a resource.
struct Selector {
  bool everywhere = true;
  std::vector<std::string> names{};
  std::map<std::string, std::string> labels{};

  [[nodiscard]] bool takes(const Host& host) const;
};

/// Of a manifest whose metadata may be wrong: what is no name or label selects nothing.
Selector selector_of(const Value& root);

/// Problems of a selector that names no host, or selects none. `others` are the hosts of other environments that stand
/// in the same folders: manifests that are shared may mean those.
std::vector<Finding> check_selector(const Selector& selector, const std::vector<Host>& hosts,
                                    const std::vector<Host>& others);

}  // namespace holdfast
