#pragma once

#include <controller/rollout/waves.hpp>
#include <controller/store/store.hpp>
#include <manifests/value.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

/// How far an environment's rollout is, as the store keeps it and `status` tells it. Times are milliseconds since the
/// epoch.
struct RolloutNote {
  RolloutPlace place{};
  std::string commit{};
  std::size_t waves = 0;      // in all, as far as known; 0: after the canary all hosts take it at once
  std::int64_t since_ms = 0;  // when this wave, or the pause after the one before, began
  friend bool operator==(const RolloutNote&, const RolloutNote&) = default;
};

/// nullopt where there was none, or it can't be read: then a rollout begins with its canary.
std::optional<RolloutNote> rollout_note(Store& store, const std::string& environment);
void put_rollout_note(Store& store, const std::string& environment, const RolloutNote& note);

/// "wave 2 of 4: web3, web4; next in 40 s"; empty where no host is left to take it. Host names are printable.
std::string rollout_text(const RolloutNote& note, std::int64_t now_ms);
/// For programs.
Value rollout_record(const RolloutNote& note);

}  // namespace holdfast
