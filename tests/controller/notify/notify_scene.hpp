#pragma once

#include <controller/notify/courier.hpp>
#include <controller/notify/newsroom.hpp>
#include <controller/notify/notifier.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::test {

/// A state file, a clock that is turned by hand, and the files of sinks; all of it goes away at the end.
class NotifyScene {
 public:
  NotifyScene();
  NotifyScene(const NotifyScene&) = delete;
  NotifyScene& operator=(const NotifyScene&) = delete;
  ~NotifyScene();

  /// Writes a file with that text; its path.
  std::string file(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string state_file() const { return folder_ + "/state.db"; }
  void pass(std::int64_t ms) { *now_ms_ += ms; }
  [[nodiscard]] std::int64_t now() const { return *now_ms_; }

  /// A sink that only waits to be looked at, or one that leads to `url`.
  static SinkSettings sink(const std::string& name, std::vector<std::string> events = {});
  [[nodiscard]] SinkSettings webhook(const std::string& name, const std::string& url) const;

  /// One host's deployment from its begin to its end.
  std::int64_t deploy(const std::string& host, const std::string& commit, Outcome outcome,
                      const std::string& reason = "");
  void hold(const std::string& host, const std::string& commit);
  void put_host(const std::string& host, const std::string& state, const std::string& commit);
  void put_rollout(const std::string& commit, const std::vector<std::string>& hosts);
  /// Looks at the state for these sinks; what their queues have then, oldest first.
  std::vector<Notification> look(const std::vector<SinkSettings>& sinks);
  /// The same for one sink that takes everything that is usual.
  std::vector<Notification> news();

  OnProgress on_progress();
  std::string said() const;

  std::unique_ptr<Store> store;
  std::unique_ptr<NotifyQueue> queue;
  Clock clock;
  std::atomic<bool> stop = false;

 private:
  std::string folder_;
  std::shared_ptr<std::int64_t> now_ms_ = std::make_shared<std::int64_t>(1'795'248'000'000);
  mutable std::mutex mutex_;
  std::string said_;
};

/// "1", "11", …: 40 digits.
std::string commit(char digit);
std::vector<std::string> titles(const std::vector<Notification>& notes);

}  // namespace holdfast::test
