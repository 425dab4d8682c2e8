#include <controller/rollout/contact.hpp>

#include <algorithm>

namespace holdfast {

void Contact::answered(std::optional<bool> slow) {
  failures_ = 0;
  due_ms_ = 0;
  slow_ = slow.value_or(slow_);
}

void Contact::missed(std::int64_t now_ms, double spread) {
  constexpr int most_doublings = 20;
  const int doublings = std::min(failures_, most_doublings);
  ++failures_;
  const std::int64_t wait = std::min(limits_.first_wait_ms << doublings, limits_.longest_wait_ms);
  due_ms_ = now_ms + wait + static_cast<std::int64_t>(static_cast<double>(wait) * std::clamp(spread, 0.0, 1.0) / 4);
}

}  // namespace holdfast
