#pragma once

#include <controller/notify/news.hpp>
#include <controller/rollout/clock.hpp>

#include <cstdint>
#include <vector>

namespace holdfast {

/// Looks at the state and puts what is new into the sinks' queues. Belongs to one thread.
class Newsroom {
 public:
  Newsroom(std::vector<SinkSettings> sinks, Store& store, NotifyQueue& queue, const Clock& clock);

  /// Looks when somebody wrote to the state, and every ten seconds for what only time makes new. How many notifications
  /// there were.
  std::size_t look();

 private:
  NewsInput input();
  bool is_held(const Deployment& deployment);

  std::vector<SinkSettings> sinks_;
  Store& store_;
  NotifyQueue& queue_;
  const Clock& clock_;
  std::int64_t version_ = -1;
  std::int64_t looked_ms_ = 0;  // monotonic
};

}  // namespace holdfast
