#pragma once

#include <manifests/problem.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

class Zone;

/// Another environment must have been healthy for a time, all of its hosts, at the very commit that is wanted.
struct EnvironmentGate {
  std::string environment{};
  std::int64_t healthy_for_ms = 0;
  std::vector<std::string> hosts{};  // of that environment, by the same policy
  Position position{};
};

/// Every host that has this BackupPolicy, one at least, must have a verified backup that is not older.
struct BackupGate {
  std::string policy{};
  std::int64_t max_age_ms = 0;
};

/// A certificate of a host must be valid for longer: a PEM file of it, or what it serves for a name.
struct CertificateGate {
  std::string path{};  // or
  std::string name{};  // asked of the host's own `port`
  int port = 443;
  std::int64_t valid_for_ms = 0;
};

/// A host's file system must have room: a part of it, or bytes.
struct DiskGate {
  std::string path = "/";
  double percent = 0;      // 0: bytes are asked for
  std::int64_t bytes = 0;  // that programs other than root's may use
  std::string text{};      // as it is written
};

/// A host's load over the last minute may be so much for each of its processors.
struct LoadGate {
  double per_processor = 0;
};

/// A program must end so: on the controller, or on each host.
struct CommandGate {
  std::vector<std::string> argv{};
  bool on_host = false;
  std::int64_t within_ms = 0;
  int exit_code = 0;
};

/// Hours of the week in which hosts may take a commit. Where clocks skip the begin it begins right after the gap, with
/// its whole length where they skip all of it; the hour that clocks show twice counts twice.
struct Window {
  std::array<bool, 7> days{};  // on which it begins, Sunday first
  std::int64_t from_s = 0;     // of the day
  std::int64_t to_s = 0;       // of the same day, or of the next where it is not after `from_s`
  std::string zone_name{};
  std::shared_ptr<const Zone> zone{};
  bool overrun = false;  // a rollout that began in it goes on when it closes
};

/// A time in which hosts take no commit, windows or not: local times of its zone, the end not included.
struct Freeze {
  std::int64_t from_s = 0;
  std::int64_t to_s = 0;
  std::string zone_name{};
  std::shared_ptr<const Zone> zone{};
  std::string reason{};
};

/// What must be true before an environment's hosts take another desired state. A rollback and the repair of drift are
/// never gated.
struct GatesPolicy {
  std::vector<EnvironmentGate> environments{};
  std::vector<BackupGate> backups{};
  std::vector<CertificateGate> certificates{};
  std::vector<DiskGate> disks{};
  std::vector<LoadGate> loads{};
  std::vector<CommandGate> commands{};
  std::vector<Window> windows{};  // none: at any time
  std::vector<Freeze> freezes{};
};

}  // namespace holdfast
