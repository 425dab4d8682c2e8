#include <manifests/rollout_policy.hpp>

#include <manifests/formats.hpp>

#include <algorithm>
#include <string>

namespace holdfast {

namespace {

/// 5, or "25%": its schema has accepted it.
WaveSize wave_size(const Value& value) {
  if (!value.is_text()) return {value.as_int(), false};
  return {std::stoll(value.as_text()), true};
}

}  // namespace

std::size_t hosts_in(const WaveSize& size, std::size_t hosts) {
  const auto number = static_cast<std::size_t>(std::max<std::int64_t>(0, size.number));
  return std::max<std::size_t>(1, size.percent ? hosts * number / 100 : number);
}

std::string_view to_text(OnFailure on_failure) {
  switch (on_failure) {
    case OnFailure::rollback_failed:
      return "rollback-failed";
    case OnFailure::rollback_all:
      return "rollback-all";
    case OnFailure::halt:
      return "halt";
  }
  return "rollback-failed";
}

RolloutPolicy read_rollout_policy(const Value& rollout) {
  RolloutPolicy policy;
  policy.canary = static_cast<int>(rollout.at("canary").as_int());
  if (const Value* wave = rollout.find("wave")) {
    if (wave->is_list()) {
      for (const Value& one : wave->as_list()) policy.waves.push_back(wave_size(one));
    } else {
      policy.waves.push_back(wave_size(*wave));
    }
  }
  policy.pause_ms = duration_ms(rollout.at("pause").as_text());
  const std::string on_failure = rollout.at("onFailure").as_text();
  if (on_failure == "rollback-all") policy.on_failure = OnFailure::rollback_all;
  if (on_failure == "halt") policy.on_failure = OnFailure::halt;
  if (policy.waves.size() == 1 && policy.waves.front() == WaveSize{}) policy.waves.clear();
  return policy;
}

}  // namespace holdfast
