#pragma once

#include <reconcilers/host/plan.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// How a file's bytes change, ready to be shown.
struct ContentView {
  enum class Kind { none, text, digests, hidden };
  Kind kind = Kind::none;
  std::string summary{};  // "+3 -1", "12 KiB sha256 ab12… -> …", "content changes (not shown)"
  std::string diff{};     // unified hunks, printable
  std::size_t added = 0;
  std::size_t removed = 0;
  friend bool operator==(const ContentView&, const ContentView&) = default;
};

/// Who made the drift that a repair puts right, as far as the host's logs tell.
struct ChangeTrace {
  std::string id{};        // the primitive's
  std::int64_t at_ms = 0;  // when it was changed, since the epoch; 0: not known
  std::string by{};        // for people: "alice (uid 1000, sudo vi /etc/motd)", "unknown; it belongs to alice"
  bool known = false;      // whether `by` names somebody
  friend bool operator==(const ChangeTrace&, const ChangeTrace&) = default;
};

/// One host's plan and what is needed to show it.
struct HostPlan {
  std::string host{};
  std::string environment{};
  std::string commit{};
  Plan plan{};
  std::map<std::string, std::string> old_contents{};  // digest -> bytes, what the host told of files that may be shown
  /// Bytes of a digest of the new state; where it throws Error or gives other bytes, digests are shown. Never asked for
  /// a sensitive file.
  std::function<std::string(const std::string& digest)> new_content{};
  std::map<std::string, ContentView> kept_contents{};  // by primitive: views that were made before, shown as they are
  std::map<std::string, std::int64_t> down_ms{};       // by unit: how long its last restart kept it from running
  std::vector<std::string> running{};                  // units that the manifests keep running here
  std::map<PrimitiveId, std::vector<std::string>> why{};  // reasons of each change, where they were asked for
  std::map<std::string, std::string> outcomes{};          // by primitive: what came of the change, once it was made
  std::vector<std::string> checks{};                      // names of the health checks that will judge the change
  std::vector<ChangeTrace> changed_by{};                  // of a repair, known when it begins
  std::vector<std::string> notes{};                       // the controller's own, before the host's
  std::string error{};                                    // not empty: there is no plan, and this is why
};

/// What would happen in one environment at one commit.
struct EnvironmentPlan {
  std::string environment{};
  std::string tracked{};  // "branch main"; the text that was asked for where another revision was
  std::string commit{};
  std::string subject{};
  std::string author{};
  std::int64_t committed_s = 0;  // since the epoch
  std::int64_t health_window_ms = 0;
  std::string refused{};                // why the source as a whole is refused; hosts may be planned all the same
  std::vector<std::string> problems{};  // not empty: the commit is refused whole, and there are no hosts
  std::vector<HostPlan> hosts{};
};

}  // namespace holdfast
