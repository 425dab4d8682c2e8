#include <controller/audit/audit_thread.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t after_error_ms = 10'000;

}  // namespace

struct AuditThread::Parts {
  Parts(AuditSettings settings, const std::string& state_file, Store& store, Clock own_clock, OnProgress tell)
      : clock(std::move(own_clock)),
        queue(AuditQueue::open(state_file)),
        scribe(std::move(settings), store, *queue, clock, tell),
        on_progress(std::move(tell)) {}

  void run() {
    for (std::int64_t pause = 0; nap(pause);) {
      try {
        pause = scribe.turn();
        said.clear();
      } catch (const std::exception& error) {  // the state file itself
        if (said != error.what()) on_progress({Progress::Level::bad, "", "", std::string("audit: ") + error.what()});
        said = error.what();
        pause = after_error_ms;
      }
    }
  }

  bool nap(std::int64_t ms) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stop; });
    return !stop;
  }

  Clock clock;
  std::unique_ptr<AuditQueue> queue;
  Scribe scribe;
  OnProgress on_progress;
  std::string said;
  std::mutex mutex;
  std::condition_variable changed;
  bool stop = false;
  std::jthread thread;  // last: it uses all of the above
};

AuditThread::AuditThread(AuditSettings settings, const std::string& state_file, Store& store, const Clock& clock,
                         OnProgress on_progress)
    : parts_(std::make_unique<Parts>(std::move(settings), state_file, store, clock, std::move(on_progress))) {
  parts_->thread = std::jthread([parts = parts_.get()] { parts->run(); });
}

AuditThread::~AuditThread() {
  const std::scoped_lock lock(parts_->mutex);
  parts_->stop = true;
  parts_->changed.notify_all();
}

}  // namespace holdfast
