#pragma once

#include <controller/notify/settings.hpp>
#include <controller/rollout/clock.hpp>
#include <controller/rollout/progress.hpp>
#include <controller/store/store.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// The plan of an environment at a reference of the repository, as Markdown of at most 60,000 bytes, against the hosts
/// as they are. Throws Error with why there is none.
using PlanAt = std::function<std::string(const std::string& environment, const std::string& reference)>;

/// Which environments a pull request would change when it is merged into that branch.
using TracksOf = std::function<std::vector<std::string>(const std::string& branch)>;

/// One round over the open pull requests of one sink: each whose head, or whose hosts' live commits, are others than at
/// its last comment gets its plan, in the one comment that it has. Five at most per round, so that a flood of them
/// delays none for long. Throws Error with what the forge said. Belongs to one thread.
class PullPlans {
 public:
  PullPlans(SinkSettings sink, Store& store, PlanAt plan_at, TracksOf tracks_of, const std::atomic<bool>& stop);

  /// How many comments were written.
  int turn();

 private:
  [[nodiscard]] std::string state_of(const std::string& head, const std::vector<std::string>& environments);
  [[nodiscard]] std::string text_for(const std::string& reference, const std::vector<std::string>& environments);

  SinkSettings sink_;
  Store& store_;
  PlanAt plan_at_;
  TracksOf tracks_of_;
  const std::atomic<bool>& stop_;
};

/// Looks at the pull requests of all sinks that want comments, once a minute, from a thread of its own, for as long as
/// it lives: nothing waits for it. A forge that is away is told once, and asked again later.
class PullCommenter {
 public:
  /// `store` must outlive it.
  PullCommenter(const std::vector<SinkSettings>& sinks, Store& store, const PlanAt& plan_at, const TracksOf& tracks_of,
                OnProgress on_progress);
  /// Waits for a plan that has begun.
  ~PullCommenter();
  PullCommenter(const PullCommenter&) = delete;
  PullCommenter& operator=(const PullCommenter&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
