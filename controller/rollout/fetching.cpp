#include <controller/rollout/fetching.hpp>

#include <manifests/error.hpp>

#include <chrono>
#include <utility>

namespace holdfast {

namespace {

constexpr std::chrono::seconds fetch_time{120};

}  // namespace

Fetching::Fetching(const ControllerSettings& settings) : mirror_(open_mirror(settings)) {}

void Fetching::begin(bool due) {
  if (begun_) return;
  begun_ = true;
  running_ = true;
  result_ = {.due = due};
  thread_ = std::jthread([this] {
    try {
      mirror_->fetch(std::chrono::steady_clock::now() + fetch_time);
    } catch (const Error& error) {
      result_.problem = error.what();
    }
    running_ = false;
  });
}

std::optional<Fetching::Result> Fetching::take() {
  if (!begun_ || running_) return std::nullopt;
  thread_.join();
  begun_ = false;
  return std::exchange(result_, {});
}

}  // namespace holdfast
