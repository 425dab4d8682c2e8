#include <controller/notify/notifier.hpp>

#include <controller/notify/courier.hpp>
#include <controller/notify/newsroom.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t look_every_ms = 1'000;
constexpr std::int64_t after_error_ms = 10'000;

}  // namespace

struct Notifier::Parts {
  Parts(const std::string& state_file, Clock own_clock, OnProgress tell)
      : queue(NotifyQueue::open(state_file)), clock(std::move(own_clock)), on_progress(std::move(tell)) {}

  /// Naps until `ms` are over, something new came (where `woken` counts it) or the end; false at the end.
  bool nap(std::int64_t ms, std::uint64_t* woken) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds(std::clamp<std::int64_t>(ms, 1, 60'000)),
                     [&] { return stop.load() || (woken != nullptr && *woken != news); });
    if (woken != nullptr) *woken = news;
    return !stop;
  }

  /// Again and again until the end; an error is told once, and what was tried is tried again later.
  template <typename Work>
  void loop(Work work, bool wakes) {
    std::uint64_t seen = 0;
    std::string said;
    for (std::int64_t pause = 1; nap(pause, wakes ? &seen : nullptr);) {
      try {
        pause = work();
        said.clear();
      } catch (const std::exception& error) {
        if (said != error.what()) on_progress({Progress::Level::bad, "", "", std::string("notify: ") + error.what()});
        said = error.what();
        pause = after_error_ms;
      }
    }
  }

  void report() {
    const std::scoped_lock lock(mutex);
    ++news;
    changed.notify_all();
  }

  std::unique_ptr<NotifyQueue> queue;
  Clock clock;
  OnProgress on_progress;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t news = 0;
  std::vector<std::jthread> threads;  // last: they use all of the above
};

Notifier::Notifier(std::vector<SinkSettings> sinks, const std::string& state_file, Store& store, const Clock& clock,
                   OnProgress on_progress)
    : parts_(std::make_unique<Parts>(state_file, clock, std::move(on_progress))) {
  Parts& parts = *parts_;
  std::vector<std::string> names;
  for (const SinkSettings& sink : sinks) names.push_back(sink.name);
  parts.queue->use_sinks(names);
  if (sinks.empty()) return;
  for (const SinkSettings& sink : sinks) {
    parts.threads.emplace_back([&parts, sink] {
      Courier courier(sink, *parts.queue, parts.clock, parts.on_progress, parts.stop);
      parts.loop([&courier] { return courier.turn(); }, true);
    });
  }
  parts.threads.emplace_back([&parts, &store, sinks = std::move(sinks)] {
    Newsroom newsroom(sinks, store, *parts.queue, parts.clock);
    parts.loop(
        [&] {
          if (newsroom.look() != 0) parts.report();
          return look_every_ms;
        },
        false);
  });
}

Notifier::~Notifier() {
  {
    const std::scoped_lock lock(parts_->mutex);
    parts_->stop = true;
  }
  parts_->changed.notify_all();
}

}  // namespace holdfast
