#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// Something that a person (or a package manager for him) did on this host, as far as its logs tell. Times are
/// milliseconds since the epoch.
struct Deed {
  enum class Kind { command, login, package_run };
  Kind kind = Kind::login;
  std::string user{};    // who, by the login that it goes back to; empty: not known
  std::int64_t uid = -1;
  std::string command{};  // of sudo and apt, with its arguments: never shown as it is
  std::string from{};     // address that the login came from
  std::string key{};      // fingerprint of the key that it came with
  std::int64_t pid = 0;
  std::int64_t begin_ms = 0;
  std::int64_t end_ms = 0;  // 0: it goes on
};

/// Out of `journalctl -o json` of sshd, sudo and su, in any order. Lines that are not understood are passed over.
std::vector<Deed> deeds_of_journal(std::string_view json_lines);
/// Out of apt's history.log, whose times are of this machine's zone.
std::vector<Deed> deeds_of_apt(std::string_view history);

/// What a drifted thing is called where people name it, "/etc/nginx/nginx.conf" or "nginx.service", and when it became
/// what it is.
struct Changed {
  std::string type{};  // "file", "unit", …
  std::string name{};
  std::int64_t at_ms = 0;        // 0: not known
  std::string owner{};           // of what is there now, where that is not root: "alice (uid 1000)"
};

/// Who probably did it, in words: "alice (uid 1000, sudo vi /etc/nginx/nginx.conf)", "one of alice and bob, who were
/// logged in", "unknown". Of a command only its name is shown, and arguments that name the thing. Pure.
std::string culprit_of(const Changed& changed, const std::vector<Deed>& deeds);

/// Without what the controller's own logins and commands did: those like the login of one of these processes.
std::vector<Deed> without_own(std::vector<Deed> deeds, const std::vector<std::int64_t>& own_pids);

}  // namespace holdfast
