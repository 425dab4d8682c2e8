#pragma once

#include <controller/audit/scribe.hpp>
#include <controller/cli/terminal.hpp>
#include <controller/notify/queue.hpp>
#include <controller/store/store.hpp>

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace holdfast {

/// How a command that only looks prints: for people or as one JSON record.
struct LookOptions {
  bool json = false;
  bool all = false;  // every host of a large environment, too
  Terminal terminal{};
  std::int64_t now_ms = 0;
  /// Whether a process that was at a deployment still is (life_sign.hpp). Empty: all do.
  std::function<bool(const std::string& process)> lives{};
  std::vector<SinkRecord> sinks{};  // who is told what happened, and how that goes
  AuditStanding audit{};            // how the writing of the audit branch stands
};

/// A deployment that nobody is at any more has no known outcome until its host was asked.
Deployment as_it_stands(Deployment deployment, const LookOptions& options);

/// `holdfast status [ENV]`: how every environment and host stands. Returns 0 where all is as wanted, 3 where something
/// is held or was rolled back, 4 where something is refused, 1 where a host can't be reached or there is no such
/// environment.
int status_command(Store& store, const std::string& environment, const LookOptions& options, std::ostream& out);

/// `holdfast history [ENV] [--host HOST] [--limit N]`: the newest deployments first.
int history_command(Store& store, const std::string& environment, const std::string& host, int limit,
                    const LookOptions& options, std::ostream& out);

/// `holdfast show ID`: one deployment with its changes and all that was said while it ran. 1 where there is none.
int show_command(Store& store, std::int64_t id, const LookOptions& options, std::ostream& out);

}  // namespace holdfast
