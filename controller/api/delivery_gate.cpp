#include <controller/api/delivery_gate.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_names = 4096;
constexpr std::size_t most_sources = 1024;
constexpr double burst = 30;
constexpr std::int64_t token_ms = 2'000;  // 30 a minute

}  // namespace

DeliveryGate::Answer DeliveryGate::pass(const std::string& name, const std::string& source, std::int64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  if (!name.empty()) {
    if (!seen_.insert(name).second) return Answer::repeated;
    order_.push_back(name);
    if (order_.size() > most_names) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
  }
  if (spend(source, now_ms)) {
    wanted_ = true;
    return Answer::woken;
  }
  if (later_ms_ < 0) later_ms_ = now_ms + token_ms;
  return Answer::later;
}

bool DeliveryGate::take(std::int64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  const bool due = later_ms_ >= 0 && now_ms >= later_ms_;
  if (due) later_ms_ = -1;
  const bool wanted = wanted_ || due;
  wanted_ = false;
  return wanted;
}

bool DeliveryGate::spend(const std::string& source, std::int64_t now_ms) {
  if (sources_.size() >= most_sources && !sources_.contains(source)) {
    sources_.erase(std::ranges::min_element(sources_, {}, [](const auto& entry) { return entry.second.at_ms; }));
  }
  Source& own = sources_.try_emplace(source, Source{burst, now_ms}).first->second;
  own.tokens = std::min(burst, own.tokens + static_cast<double>(now_ms - own.at_ms) / token_ms);
  own.at_ms = now_ms;
  if (own.tokens < 1) return false;
  own.tokens -= 1;
  return true;
}

}  // namespace holdfast
