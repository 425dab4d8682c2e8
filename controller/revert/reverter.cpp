#include <controller/revert/reverter.hpp>

#include <controller/revert/revert_desk.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace holdfast {

namespace {

constexpr std::int64_t after_error_ms = 30'000;

}  // namespace

struct Reverter::Parts {
  Parts(const ControllerSettings& settings, Store& store, const Clock& clock, OnProgress tell)
      : desk(settings, store, clock, tell), on_progress(std::move(tell)) {}

  void loop(const std::stop_token& stop) {
    std::string said;
    std::int64_t pause = 1;
    for (std::unique_lock lock(mutex); !changed.wait_for(lock, stop, std::chrono::milliseconds(pause), [] {
           return false;
         }) && !stop.stop_requested();) {
      lock.unlock();
      try {
        pause = desk.turn();
        said.clear();
      } catch (const std::exception& error) {
        if (said != error.what()) on_progress({Progress::Level::bad, "", "", std::string("revert: ") + error.what()});
        said = error.what();
        pause = after_error_ms;
      }
      lock.lock();
    }
  }

  RevertDesk desk;
  OnProgress on_progress;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::jthread thread{[this](const std::stop_token& stop) { loop(stop); }};  // last: it uses all of the above
};

Reverter::Reverter(const ControllerSettings& settings, Store& store, const Clock& clock, OnProgress on_progress)
    : parts_(std::make_unique<Parts>(settings, store, clock, std::move(on_progress))) {}

Reverter::~Reverter() = default;

}  // namespace holdfast
