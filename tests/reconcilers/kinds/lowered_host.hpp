#pragma once

#include <manifests/fleet.hpp>
#include <reconcilers/kinds/lower.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

inline const std::string self_commit = "1111111111111111111111111111111111111111";

/// Releases by "repository revision", held in memory; throws for others, as a mirror does.
class HeldReleases : public ReleaseSources {
 public:
  SourceTree resolve(const std::string& repository, const SourceRevision& revision, const std::string& folder) override;

  /// Adds a file to a source tree and gives the entry, to make it something else.
  SourceEntry& add(const std::string& key, const std::string& path, const std::string& content);
  std::map<std::string, SourceTree> trees{};
};

/// What one host becomes of manifests, all the way from their text.
struct LoweredHost {
  Lowered lowered{};
  std::vector<Problem> problems{};  // of loading, or else of lowering

  [[nodiscard]] const Wanted& at(const std::string& id) const;
  [[nodiscard]] bool has(const std::string& id) const;
  /// The bytes of a file that the bundle names.
  [[nodiscard]] std::string content_of(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> after(const std::string& id) const;
  [[nodiscard]] bool is_after(const std::string& id, const std::string& needed) const;
  [[nodiscard]] std::vector<std::string> loads(const std::string& unit) const;
  [[nodiscard]] const Check& check(const std::string& name) const;
  /// All problems as people see them.
  [[nodiscard]] std::string report() const;
};

using Files = std::vector<std::pair<std::string, std::string>>;

/// Lowers the documents of "deploy/host.yaml"; `files` are further files of the tree.
LoweredHost lower_host(const std::string& yaml, const Files& files = {});
LoweredHost lower_host(const std::string& yaml, const Files& files, ReleaseSources& sources);

/// One document: `spec` is flow YAML, "{path: /etc/motd, text: hello}".
std::string manifest(const std::string& kind, const std::string& name, const std::string& spec,
                     const std::string& after = "");

}  // namespace holdfast
