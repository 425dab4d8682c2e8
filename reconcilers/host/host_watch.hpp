#pragma once

#include <reconcilers/host/path_watch.hpp>
#include <reconcilers/host/state.hpp>
#include <reconcilers/host/system.hpp>
#include <reconcilers/host/unit_signals.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// What is watched for a bundle. Pure but for nothing: by the names alone.
struct Watched {
  std::map<std::string, std::set<std::string>> paths{};  // path -> ids of the primitives that it decides about
  std::set<std::string> files{};                         // of those, what is watched inside too
  std::map<std::string, std::string> units{};            // unit -> id
};
Watched watched_by(const Bundle& bundle);

/// Notices, within a second, that something on the host is perhaps no longer as its verified state has it: files and
/// what leads to them, units, accounts, packages. A hint for the controller, who looks then. What a transaction does is
/// not told one by one: once it is over, one hint is, since somebody may have changed something beside it. Used by one
/// thread; costs nothing while nothing happens.
class HostWatch {
 public:
  /// Begins to watch the newest verified state, and each that follows it. Throws Error where nothing can be watched.
  HostWatch(System& system, const State& state);

  /// What is watched: {"paths", "units", "left_out"}.
  [[nodiscard]] Value reach() const;
  /// To be waited for; they change with every call of take().
  [[nodiscard]] std::vector<int> descriptors() const;
  /// How long take() need not be called if nothing of those can be read, in ms; -1: for ever.
  [[nodiscard]] int patience_ms(std::int64_t now_ms) const;
  /// Takes in what happened; what is to be told now, if anything: {"ids", "more", "why"}. `now_ms` only goes forward.
  std::optional<Value> take(std::int64_t now_ms);
  /// A request may take long: nothing is listened to that somebody must not be kept waiting with.
  void pause();
  /// When the path or unit was last seen to change, in ms since the epoch; 0: not since this watch began.
  [[nodiscard]] std::int64_t seen_ms(const std::string& id) const;

 private:
  void arm();
  void hear_paths();
  void hear_units(std::int64_t now_ms);
  void listen(std::int64_t now_ms);
  void settle();
  void look_at_units();
  void note(const std::string& id);
  void note(const std::set<std::string>& ids);
  [[nodiscard]] std::string generation_text() const;
  [[nodiscard]] bool is_open() const;

  System& system_;
  const State& state_;
  PathWatch paths_;
  PathWatch own_;  // our own state: another verified one, or a transaction that ends
  std::optional<UnitSignals> signals_{};
  Watched watched_{};
  PathWatch::Reach reach_{};
  std::string generation_{};
  std::map<std::string, std::string> labels_{};  // as systemd names a unit in its signals -> unit
  std::map<std::string, std::string> states_{};  // unit -> what it was when we looked last
  std::set<std::string> changed_{};              // ids, not told yet
  std::map<std::string, std::int64_t> seen_ms_{};
  std::string why_{};  // not empty: something is to be told
  bool units_moved_ = false;
  bool settling_ = false;      // a transaction was open when we looked last
  std::int64_t first_ms_ = 0;  // of what is not told yet
  std::int64_t told_ms_ = 0;
  std::int64_t looked_ms_ = 0;
  std::int64_t listen_again_ms_ = 0;
};

}  // namespace holdfast
