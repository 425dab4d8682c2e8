#pragma once

#include "controller.hpp"

#include <reconcilers/host/state.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::simulation {

/// The model that a course of events is held against. Its rules are the ten of docs/reliability.md:
///
///  I1  without an open transaction a host is as its last confirmed commit says, in every file
///  I2  nothing changes but what the open transaction's journal says is being changed
///  I3  a host's epoch never falls
///  I4  a host's confirmed commit never goes back; where all go back when one fails, or it was
///      well at first only, to the one confirmed before it
///  I5  one transaction at a time is open on a host
///  I6  what is held on a host is not applied there again
///  I7  history and status say what the host's journal says
///  I8  nobody else's files change
///  I9  a bad commit reaches one host at a time
///  I10 no secret is in what is told, kept or sent
class Checker {
 public:
  Checker(Machine& machine, const Repository& repository, std::vector<std::unique_ptr<Host>>& hosts);

  /// Cheap enough for every moment at which something happened on that host.
  void look_at(Host& host);
  void sees_change(Host& host, const std::string& path);
  void sees_text(const std::string& where, std::string_view text);
  /// Somebody edited it: until it is as wanted again, it is theirs.
  void tampered(const Host& host, const std::string& path) { tampered_[host.name].insert(path); }

  /// When everything is quiet: what a controller's state says, against what the hosts say.
  void compare(const std::string& state_path);
  /// The host runs what its confirmed commit wants; `last`: and that is the newest.
  void see_rest(Host& host, bool last);
  [[nodiscard]] bool has_open(const Host& host) const;
  [[nodiscard]] bool needs_a_person(const Host& host) const;

  void wrong(const std::string& what);
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Seen {
    std::int64_t epoch = 0;
    std::size_t confirmed = 0;
    std::size_t before = 0;  // what was confirmed before that
    bool has_confirmed = false;
    std::set<std::string> ended{};  // transactions
  };
  std::vector<std::string> unfinished(const Host& host);
  void check_files(Host& host, std::size_t number);
  void check_exposure();
  void collect_secrets(const Host& host);
  void check_kept(const Host& host);

  Machine& machine_;
  const Repository& repository_;
  std::vector<std::unique_ptr<Host>>& hosts_;
  std::map<std::string, Seen> seen_{};
  std::map<std::string, std::set<std::string>> tampered_{};
  std::map<std::string, std::set<std::string>> exposed_{};  // host -> bad commits that are open there
  std::set<std::string> looked_good_{};                     // bad commits that an edit made well while they were judged
  std::set<std::string> secrets_{};
  std::vector<std::string> violations_{};
};

}  // namespace holdfast::simulation
