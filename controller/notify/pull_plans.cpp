#include <controller/notify/pull_plans.hpp>

#include <controller/cli/markdown.hpp>
#include <controller/notify/forge.hpp>
#include <controller/notify/notification.hpp>
#include <controller/notify/pull_outcome.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace holdfast {

namespace {

constexpr int most_per_round = 5;
constexpr std::size_t most_text = 60'000;  // GitHub takes 65,536 characters
constexpr std::size_t most_why = 2'000;
constexpr std::int64_t look_every_ms = 60'000;
constexpr std::int64_t longest_pause_ms = 900'000;

/// Several controllers may comment one repository: each has its own comment, where their sinks have other names.
std::string marker_of(const std::string& sink) { return "<!-- holdfast plan " + printable(sink) + " -->"; }

std::string note_name(const std::string& sink, std::int64_t number) {
  return "pull request " + sink + " " + std::to_string(number);
}

}  // namespace

PullPlans::PullPlans(SinkSettings sink, Store& store, PlanAt plan_at, TracksOf tracks_of, const std::atomic<bool>& stop)
    : sink_(std::move(sink)),
      store_(store),
      plan_at_(std::move(plan_at)),
      tracks_of_(std::move(tracks_of)),
      stop_(stop) {}

/// What a plan depends on: another text means that it has to be made again.
std::string PullPlans::state_of(const std::string& head, const std::vector<std::string>& environments) {
  std::string all = head;
  for (const std::string& environment : environments) {
    all += "\n" + environment;
    for (const HostRecord& host : store_.hosts(environment)) all += "\n" + host.host + " " + host.live_bundle;
  }
  return sha256(all);
}

std::string PullPlans::text_for(const std::string& reference, const std::vector<std::string>& environments) {
  std::string text;
  for (const std::string& environment : environments) {
    if (stop_) throw Error("stopped");
    std::string part;
    try {
      part = plan_at_(environment, reference);
    } catch (const Error& error) {
      part = "### holdfast plan: " + markdown_code(printable(environment)) + "\n\nThere is no plan:\n\n" +
             markdown_fence("text", printable(cut_text(error.what(), most_why)));
    }
    if (text.size() + part.size() + 2 > most_text) {
      text += "\n\nThe plans of further environments do not fit here: `holdfast plan` tells them.\n";
      break;
    }
    text += (text.empty() ? "" : "\n\n") + part;
  }
  return text;
}

int PullPlans::turn() {
  const Forge forge(sink_.type, sink_.to, stop_);
  const bool forks = pull_requests_of(sink_.to) == "all";
  int written = 0;
  for (const PullRequest& pull : forge.open()) {
    if (stop_ || written == most_per_round) break;
    if (pull.from_fork && !forks) continue;
    std::vector<std::string> environments = tracks_of_(pull.base);
    std::erase_if(environments, [&](const std::string& one) {
      return !sink_.environments.empty() && std::ranges::find(sink_.environments, one) == sink_.environments.end();
    });
    if (environments.empty()) continue;
    const std::string name = note_name(sink_.name, pull.number);
    const std::string state = state_of(pull.head, environments);
    const Value known = from_json(store_.note(name).value_or("{}"));
    if (known.text_or("state", "") == state) continue;
    std::int64_t id = known.int_or("comment", 0);
    forge.comment(pull.number, marker_of(sink_.name), text_for(pull.reference, environments), id);
    store_.put_note(name, to_json(Map{{"state", state}, {"comment", id}}));
    ++written;
  }
  return written;
}

struct PullCommenter::Parts {
  void loop(PullPlans plans, const std::string& sink) {
    std::string said;
    for (std::int64_t pause = 1; nap(pause);) {
      try {
        plans.turn();
        said.clear();
        pause = look_every_ms;
      } catch (const std::exception& error) {
        if (said.empty()) {
          on_progress({Progress::Level::warning, "", "",
                       "pull requests of sink " + sink + " can't be told their plans: " + printable(error.what())});
        }
        said = error.what();
        pause = std::clamp(pause * 2, look_every_ms, longest_pause_ms);
      }
    }
  }
  bool nap(std::int64_t ms) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stop.load(); });
    return !stop;
  }

  OnProgress on_progress;
  std::atomic<bool> stop = false;
  std::mutex mutex{};
  std::condition_variable changed{};
  std::vector<std::jthread> threads{};  // last: they use all of the above
};

PullCommenter::PullCommenter(const std::vector<SinkSettings>& sinks, Store& store, const PlanAt& plan_at,
                             const TracksOf& tracks_of, OnProgress on_progress)
    : parts_(std::make_unique<Parts>()) {
  parts_->on_progress = std::move(on_progress);
  for (const SinkSettings& sink : sinks) {
    if (!shows_status(sink) || pull_requests_of(sink.to) == "off") continue;
    parts_->threads.emplace_back([parts = parts_.get(), &store, sink, plan_at, tracks_of] {
      parts->loop(PullPlans(sink, store, plan_at, tracks_of, parts->stop), sink.name);
    });
  }
}

PullCommenter::~PullCommenter() {
  {
    const std::scoped_lock lock(parts_->mutex);
    parts_->stop = true;
  }
  parts_->changed.notify_all();
}

}  // namespace holdfast
