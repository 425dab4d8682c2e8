#pragma once

#include <controller/health/health.hpp>

namespace holdfast {

/// What a check found: empty where it passed.
using Shortfall = std::string;

/// How long a check may take, and when it is broken off: a little later, so that one that is only slow says how slow.
struct Limit {
  std::int64_t within_ms = 0;
  Deadline begun{};
  Deadline latest{};  // never after the watch's own deadline

  [[nodiscard]] std::int64_t took_ms() const;
  /// "took 2,340 ms, limit 2,000 ms", where it took longer.
  [[nodiscard]] Shortfall overrun() const;
  /// "no answer within 2,000 ms"
  [[nodiscard]] Shortfall hung() const;
};

/// The clock starts now.
Limit limit_of(const Value& spec, Deadline latest);

/// "host", "controller": who asks.
bool from_controller(const Value& spec);

/// The bodies of the checks, each by its member of a check's spec.
Shortfall ask_http(const Value& http, HostProbe& probe, const Limit& limit);
Shortfall ask_tcp(const Value& tcp, HostProbe& probe, const Limit& limit);
Shortfall ask_command(const Value& command, HostProbe& probe, const Limit& limit);

}  // namespace holdfast
