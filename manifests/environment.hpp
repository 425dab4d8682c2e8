#pragma once

#include <manifests/drift_policy.hpp>
#include <manifests/approval_policy.hpp>
#include <manifests/gates_policy.hpp>
#include <manifests/late_watch_policy.hpp>
#include <manifests/problem.hpp>
#include <manifests/resource.hpp>
#include <manifests/rollout_policy.hpp>
#include <manifests/value.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// How a host is reached.
struct Host {
  std::string name{};
  std::string connection = "ssh";  // or "local"
  std::string address{};           // DNS name or IP literal; the name where it is not given
  int port = 22;
  std::string user = "root";             // other logins need `sudo -n`
  std::vector<std::string> host_keys{};  // "ssh-ed25519 AAAA…"; empty: known_hosts decides
  std::string identity{};                // key file on the controller; empty: the controller's default and its agent
  std::string jump{};                    // "user@host:port" of a jump host; empty: none
  std::string root = "/";                // prefix of every path, for a local host below a directory
  std::map<std::string, std::string> labels{};
  Map vars{};  // over the environment's
  Position position{};
};

/// What an environment follows: a branch's head, a tag by its name, or the newest release among the tags like a
/// pattern.
struct Track {
  std::string branch{};         // with a pattern: whose history the tag must be in; empty there: the root branch's
  std::string tag{};            // a name, or a pattern with "*"
  bool prereleases = false;     // with a pattern: versions like 1.4.0-rc.1 are releases, too
  bool allow_rewrites = false;  // accept a head that does not descend from the last applied commit
  [[nodiscard]] bool is_pattern() const { return tag.find('*') != std::string::npos; }
};

/// How a transaction's health is judged; durations in milliseconds.
struct HealthPolicy {
  std::int64_t window_ms = 30'000;   // the absolute deadline, from the end of the transaction's effects
  std::int64_t interval_ms = 1'000;  // between two rounds of samples
  int passes = 3;                    // consecutive passes that every check needs
  // How long a host waits for its confirmation, from the end of the effects, before it undoes them by itself.
  std::int64_t confirm_within_ms = 110'000;
  LateWatchPolicy late{};  // of a host that is confirmed
};

/// Policy of one environment: read from the root branch only, so that a push to a tracked branch grants itself nothing.
struct Environment {
  std::string name{};
  Track track{};
  std::vector<std::string> paths{};  // folders of the tree whose manifests it applies; empty: all of the fleet's folder
  std::vector<Host> hosts{};
  Map vars{};
  HealthPolicy health{};
  bool prune = true;  // remove what holdfast created and the manifests no longer name
  DriftPolicy drift{};
  bool revert = true;  // push a branch that takes back a commit which was rolled back
  RolloutPolicy rollout{};
  ApprovalPolicy approval{};
  SignedPolicy commits{};  // what their signatures must be
  GatesPolicy gates{};
  Position position{};
};

}  // namespace holdfast
