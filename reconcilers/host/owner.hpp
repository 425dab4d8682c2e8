#pragma once

#include <reconcilers/host/state.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

/// A controller as it names itself: `id` is made once and random, `name` is for people ("root@deploy1").
struct ControllerName {
  std::string id{};
  std::string name{};
};
/// Reads the member `controller` of a request; an empty id where there is none. Throws Error on what can't be one.
ControllerName controller_of(const Value& request);

/// Which controller keeps this host, and whether it still does: one at a time applies, others only look.
class HostOwner {
 public:
  explicit HostOwner(const State& state) : state_(state) {}

  struct Claim {
    ControllerName controller{};
    std::int64_t lease_ms = 60'000;  // how long it may be silent before another one may take over
    std::int64_t epoch = 0;          // above the host's: it may take over
    bool adopt = false;              // also from one that is not silent
  };
  struct Other {
    std::string name{};
    std::int64_t seen_ms_ago = 0;
    bool lapsed = false;  // its lease is over, and nothing of it waits for its end
  };
  /// Makes the controller this host's owner, or says who is. An owner that claims again is seen.
  std::optional<Other> claim(const Claim& claim);
  /// Throws Error where another one is the owner; an owner is seen.
  void require(const ControllerName& controller);

 private:
  struct Kept {
    ControllerName controller{};
    std::int64_t epoch = 0;
  };
  [[nodiscard]] std::optional<Kept> kept() const;
  void take(const Claim& claim);
  void see(std::int64_t lease_ms);
  [[nodiscard]] Other other(const Kept& kept) const;
  [[nodiscard]] bool has_open_transaction() const;

  const State& state_;
  std::int64_t written_ms_ = -1;  // when it was seen last by this process, on the boot clock
};

}  // namespace holdfast
