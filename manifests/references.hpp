#pragma once

#include <manifests/resolve.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// Checks what the resources of one host say of each other: names that are there twice, references to what is not
/// there, cycles. What is wrong on many hosts is told once.
class ReferenceCheck {
 public:
  void add_host(const std::string& host, const std::vector<const Resolved*>& resources);
  /// After the last host. What is missing is passed over where its name stands in a file that could not be read whole.
  void tell(const LoadedManifests& loaded, std::vector<Problem>& problems) const;

 private:
  struct Missing {
    std::set<std::string> hosts{};
    std::vector<std::string> known{};  // ids on the first such host
  };
  using Graph = std::map<ResourceId, std::map<ResourceId, Position>>;

  void find_cycles(const Graph& graph);
  void add_cycle(const Graph& graph, std::vector<ResourceId> cycle);

  std::vector<Problem> problems_{};
  std::map<std::pair<Position, std::string>, Missing> missing_{};
  std::set<std::string> everywhere_{};  // ids that some host has
  std::set<std::string> cycles_{};      // told already
};

}  // namespace holdfast
