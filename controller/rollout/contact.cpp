#include <controller/rollout/contact.hpp>

#include <algorithm>

namespace holdfast {

void Contact::answered(std::int64_t took_ms, bool steady) {
  failures_ = 0;
  due_ms_ = 0;
  if (steady) slow_ = took_ms > limits_.patience_ms;  // a deployment takes its time on the fastest host
}

void Contact::missed(std::int64_t now_ms, double spread) {
  constexpr int most_doublings = 20;
  const int doublings = std::min(failures_, most_doublings);
  ++failures_;
  const std::int64_t wait = std::min(limits_.first_wait_ms << doublings, limits_.longest_wait_ms);
  due_ms_ = now_ms + wait + static_cast<std::int64_t>(static_cast<double>(wait) * std::clamp(spread, 0.0, 1.0) / 4);
}

}  // namespace holdfast
