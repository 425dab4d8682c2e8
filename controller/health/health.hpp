#pragma once

#include <controller/connection.hpp>
#include <manifests/environment.hpp>
#include <reconcilers/check.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// One answer of one check.
struct Sample {
  std::string check{};  // its name
  bool passed = false;
  std::string detail{};    // "expected status 200, found 500: <first 200 characters of the body>"; printable
  std::int64_t at_ms = 0;  // monotonic clock
  std::int64_t took_ms = 0;
  std::int64_t restarts = -1;  // of a unit check: the unit's restart counter
  bool gave_up = false;        // of a unit check: systemd calls it failed and will not start it again by itself
};

/// What the samples so far say. A pure fold: the same samples, policy and clock give the same verdict.
struct Verdict {
  enum class State { healthy, unhealthy, wait };
  State state = State::wait;
  std::string why{};                   // of unhealthy: the check and what it found, first to fail first
  std::vector<std::string> blamed{};   // names of the checks that failed the change
  std::vector<std::string> already{};  // names of checks that failed before the change too: told, never blamed
};

/// Healthy: every check that is to be blamed passed `policy.passes` times in a row. Unhealthy: the deadline came first,
/// or can't be met any more, or a unit was restarted twice since `baseline`, or systemd gave it up. Rounds are whole: all
/// checks are sampled in each. `baseline` are the samples taken before the change; a check that failed there is not
/// blamed when `blame_baseline` is false (there was a verified state before; on a host's first transaction everything
/// counts).
Verdict judge(const std::vector<Check>& checks, const std::vector<Sample>& baseline, const std::vector<Sample>& samples,
              const HealthPolicy& policy, std::int64_t begun_ms, std::int64_t now_ms, bool blame_baseline);

/// What checks that need the host ask it; the runner client implements it over one connection.
class HostProbe {
 public:
  virtual ~HostProbe() = default;
  /// A byte stream to a TCP address ("127.0.0.1:5000") or unix socket of the host, through the connection to it: what
  /// `holdfast-host dial` writes, from its own answer ('+', or '-' and the reason) on; see docs/protocol.md.
  virtual std::unique_ptr<Stream> dial(const std::string& address, Deadline deadline) = 0;
  struct Unit {
    std::string load{}, active{}, sub{}, invocation{};
    std::int64_t restarts = 0;
  };
  virtual Unit unit(const std::string& name, Deadline deadline) = 0;
  struct Result {
    int exit_code = -1;
    std::string output{};
    bool timed_out = false;
  };
  virtual Result run(const std::vector<std::string>& argv, const std::string& user, std::int64_t timeout_ms,
                     Deadline deadline) = 0;
};

/// Takes one sample. Never throws for what the checked thing does: refused, hung, wrong and unreachable are samples
/// that did not pass. `restarts` remembers each unit's counter (by the check's name) from its first sample on. Throws
/// Error only when the connection to the host itself is lost. Ends at the check's `within_ms` and half a second, or at
/// `latest`.
Sample sample(const Check& check, HostProbe& probe, std::map<std::string, std::int64_t>& restarts,
              Deadline latest = Deadline::max());

/// One sample of every check, in their order.
std::vector<Sample> sample_round(const std::vector<Check>& checks, HostProbe& probe,
                                 std::map<std::string, std::int64_t>& restarts, Deadline latest = Deadline::max());

/// What is wrong with the check itself (a pattern that does not compile, a URL that is none), in words; empty: nothing.
/// Found before any host is asked.
std::string refuse_check(const Check& check);

}  // namespace holdfast
