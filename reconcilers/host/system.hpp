#pragma once

#include <manifests/error.hpp>
#include <manifests/value.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

enum class FileType { regular, directory, link, other };

/// lstat, with what telling "changed since" needs. Times are nanoseconds since the epoch.
struct FileStat {
  FileType type = FileType::regular;
  std::uint32_t mode = 0;  // permission bits only (07777)
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t changed_ns = 0;  // ctime
};

/// What has to be at a path so that it may be replaced or removed.
struct Expected {
  bool present = false;                   // false: nothing, and neither of the others counts
  std::string content{};                  // SHA-256 of a regular file, or
  std::string target{};                   // of a link
  std::optional<std::uint32_t> mode{};    // of a regular file; nullopt: any
};

/// Something else than expected was at a path: it is there as before, and nothing of it is lost.
class ChangedByOthers : public Error {
 public:
  using Error::Error;
};

/// Extended attributes by name: access control lists, capabilities, labels, the user's own.
using ExtendedAttributes = std::map<std::string, std::string>;

/// Owner, group and mode that something is born with.
struct FileMeta {
  std::uint32_t mode = 0644;
  std::optional<std::uint32_t> uid{};  // nullopt: whoever runs the runner
  std::optional<std::uint32_t> gid{};
  bool durable = true;  // false leaves the fsync to one flush() for many files
  ExtendedAttributes extended{};  // beside those that it takes over from what it replaces
  std::optional<Expected> over{};  // only this is replaced, else ChangedByOthers; nullopt: whatever is there
};

/// A program to run: an argument list, never a shell text. argv[0] is looked up in a fixed PATH.
struct Command {
  std::vector<std::string> argv{};
  std::map<std::string, std::string> environment{};  // the whole of it, plus PATH and LC_ALL=C.UTF-8 where not given
  std::string input{};
  std::string input_file{};  // instead of `input`: a real path, opened by us before we become `user`
  std::string user{};        // run as this account (and its groups); empty: as the runner
  std::string folder = "/";  // working directory
  std::chrono::milliseconds deadline{120'000};
  std::size_t output_bytes = 1U << 20U;  // of each stream: head and tail are kept, what lies between is counted
  std::function<void(std::string_view)> on_output{};  // told every piece of both streams as it comes; may be empty
  std::function<bool(std::string_view)> on_stdout{};  // only standard output; false ends the program; may be empty
};

struct Output {
  int exit_code = -1;  // 128 + signal for a killed one; -1 where it could not be started
  std::string out{};
  std::string err{};
  bool timed_out = false;
  [[nodiscard]] bool ok() const { return exit_code == 0 && !timed_out; }
};

/// One line that tells a failed command to people: "nginx -t: exit 1: <last lines of its errors>".
std::string describe_failure(const Command& command, const Output& output);

/// What is to happen to a path: it is made, replaced or removed in its folder, or only its owner and mode change.
enum class Change { entry, attributes };

/// What this machine lets us manage; a root prefix or a missing systemd turns parts off, and the plan says so.
struct Abilities {
  bool units = true;
  bool packages = true;
  bool accounts = true;
  bool ownership = true;  // chown: running as root
  bool commands = true;   // declared commands, which know nothing of a prefix
  std::string why{};      // "below the prefix /tmp/x", "not running as root": for notes
};

/// A unit that lasts as long as what it runs: a program of ours outside the session that asked for it.
struct TransientUnit {
  std::string name{};  // without ".service"
  std::string description{};
  std::vector<std::string> argv{};
  std::vector<std::string> on_end{};       // run when it has ended, however; may be empty
  std::chrono::milliseconds after{0};      // not 0: a timer starts it, then
  std::chrono::milliseconds again{2'000};  // and again so long after its end, until the timer is stopped
};

/// Everything that the runner does to a machine goes through here: the only door to files and processes. Paths are
/// absolute, as manifests write them; an implementation puts its root prefix in front. Path resolution never follows a
/// symbolic link in the last component, nor one that a user without root's rights could have planted in a parent.
/// Every method throws Error with path and system reason on failure; absence is a value.
class System {
 public:
  virtual ~System() = default;

  [[nodiscard]] virtual Abilities abilities() const = 0;
  /// The prefix in front of every path, "" for the machine's own root.
  [[nodiscard]] virtual std::string root() const = 0;
  /// Wall clock, nanoseconds since the epoch.
  [[nodiscard]] virtual std::int64_t now_ns() const = 0;

  [[nodiscard]] virtual std::optional<FileStat> stat(const std::string& path) const = 0;
  /// nullopt where there is no such file; throws Error where it is larger than `max_bytes`.
  [[nodiscard]] virtual std::optional<std::string> read(const std::string& path, std::size_t max_bytes) const = 0;
  /// SHA-256 of a regular file, read in pieces; nullopt where there is none.
  [[nodiscard]] virtual std::optional<std::string> digest(const std::string& path) const = 0;
  [[nodiscard]] virtual std::optional<std::string> read_link(const std::string& path) const = 0;
  /// Names in a directory, sorted, without "." and ".."; empty where there is none.
  [[nodiscard]] virtual std::vector<std::string> list(const std::string& path) const = 0;

  /// Why that can't be done, as a phrase ("it is immutable"); empty where nothing is known to stand in the way.
  [[nodiscard]] virtual std::string blocked(const std::string& /*path*/, Change /*change*/) const { return {}; }
  /// Where something is mounted now.
  [[nodiscard]] virtual std::set<std::string> mount_points() const { return {}; }

  /// Old bytes or new bytes, never between: temporary file in the same directory, write, owner, mode, fsync, rename,
  /// fsync of the directory.
  virtual void write(const std::string& path, std::string_view bytes, const FileMeta& meta) = 0;
  /// The same from a file of ours (the vault), without holding it in memory; keeps no link to it.
  virtual void copy(const std::string& from, const std::string& path, const FileMeta& meta) = 0;
  /// At the end of a file, made with `meta` where it is missing: logs. Not atomic, not synced.
  virtual void append(const std::string& path, std::string_view bytes, const FileMeta& meta) {
    write(path, read(path, 1U << 30U).value_or("") + std::string(bytes), meta);
  }
  /// Everything written so far to the file system that holds `path` is on its disk afterwards.
  virtual void flush(const std::string& path) { static_cast<void>(path); }
  /// A hard link to `from` put in place atomically, not synced (see flush); false where the file system can't (then
  /// copy).
  virtual bool hard_link(const std::string& from, const std::string& path) = 0;
  virtual void make_directory(const std::string& path, const FileMeta& meta) = 0;
  /// Put in place by renaming over whatever link was there.
  virtual void put_link(const std::string& path, const std::string& target) = 0;
  /// The same and remove_file where `expected` is at that path; throws ChangedByOthers where it isn't.
  virtual void replace_link(const std::string& path, const std::string& target, const Expected& /*expected*/) {
    put_link(path, target);
  }
  virtual void remove_expected(const std::string& path, const Expected& /*expected*/) { remove_file(path); }
  /// Removes what a killed runner left unfinished beside a file or link. What it had just taken from its place and is
  /// none of `known` (digests, targets) is someone's, and goes back; gives the paths of what could only be kept beside.
  virtual std::vector<std::string> settle_unfinished(const std::string& /*path*/,
                                                     const std::vector<std::string>& /*known*/) {
    return {};
  }
  virtual void set_meta(const std::string& path, const FileMeta& meta) = 0;
  /// The owner of a symbolic link itself, or of anything, without touching the mode.
  virtual void set_owner(const std::string& path, std::optional<std::uint32_t> uid,
                         std::optional<std::uint32_t> gid) = 0;
  /// Of a file or directory; empty where there are none. Throws Error where they are more than 256 KiB.
  [[nodiscard]] virtual ExtendedAttributes extended(const std::string& /*path*/) const { return {}; }
  /// Sets these; others stay.
  virtual void set_extended(const std::string& /*path*/, const ExtendedAttributes& /*attributes*/) {}
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// Makes a file that holds so many bytes of its file system; throws Error that names the mount and what is missing.
  virtual void reserve(const std::string& /*path*/, std::uint64_t /*bytes*/) {}
  /// Lets so many of them go; a file that is absent holds none.
  virtual void shrink(const std::string& /*path*/, std::uint64_t /*bytes*/) {}
  /// Absent already is fine for all three. remove_directory removes an empty one and returns false for one with
  /// content.
  virtual void remove_file(const std::string& path) = 0;
  virtual bool remove_directory(const std::string& path) = 0;
  /// The folder and everything in it, without crossing a mount or following a link. For release folders of ours only.
  virtual void remove_tree(const std::string& path) = 0;

  /// Properties of units by name, as `systemctl show` would write them (a flag as "yes" or "no"), without starting a
  /// process; nullopt where systemd can't be asked so, while systemctl perhaps can.
  using UnitProperties = std::map<std::string, std::string, std::less<>>;
  [[nodiscard]] virtual std::optional<std::vector<UnitProperties>> unit_properties(
      const std::vector<std::string>& /*units*/, const std::vector<std::string>& /*wanted*/) const {
    return std::nullopt;
  }

  /// False where systemd did not do it, for systemd-run to try and to say why: by the same name, so never both.
  virtual bool start_transient(const TransientUnit& /*unit*/) { return false; }
  /// `systemctl reload` or `stop` without starting a process; false where systemctl has to do it, and to say what is
  /// wrong.
  enum class UnitJob { reload, stop };
  virtual bool run_unit_job(UnitJob /*job*/, const std::string& /*unit*/) { return false; }

  virtual Output run(const Command& command) = 0;
  /// Ends the programs that a runner which died left running in its unit ("holdfast-ID.service").
  virtual void end_steps_of(const std::string& /*unit*/) {}
  /// The same for a program that only looks (`systemctl show`): what observing may use.
  [[nodiscard]] virtual Output ask(const Command& command) const = 0;
};

/// The machine this runs on, below `root` ("/" for all of it).
std::unique_ptr<System> make_linux_system(const std::string& root);

}  // namespace holdfast
