#pragma once

#include <controller/rollout/choice.hpp>
#include <controller/rollout/contact.hpp>
#include <controller/rollout/host_run.hpp>
#include <controller/rollout/waves.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// Where a host's turn counts while it lasts. A turn that keeps us waiting moves from `swift` or `rollout` to `slow`,
/// so that dead and slow hosts wait beside the others and never in front of them.
enum class Lane { swift, slow, rollout };

struct ScheduleLimits {
  std::size_t workers = 16;       // turns at once in `swift`, and as many in `rollout`
  std::size_t patient = 128;      // turns at once in `slow`
  std::int64_t tell_ms = 10'000;  // how long a turn lasts before it is told that its host is passed over
  std::int64_t widen_ms = 5'000;  // how long the canary may be silent before the next hosts try to be it
  // A turn that lasts longer gives up its place: before it is known what is usual, and at least once it is. A host that
  // takes longer than the first is slow: asked beside the others from the beginning, and no canary.
  std::int64_t patience_ms = 2'000;
  std::int64_t least_patience_ms = 250;
  ContactLimits contact{};
};

/// What a poll wants of one host now.
struct Wish {
  Choice choice{};
  std::string goal{};        // digest of what it should become: another one is tried at once
  bool unreachable = false;  // by its record, where this process has not tried it yet
};

/// Decides which host's turn begins when: lanes, backoff, and the canary. Pure: no thread, no clock, no host; its owner
/// says what happened and when (milliseconds that only go forward), and begins what start() says. Not thread-safe.
class Schedule {
 public:
  Schedule(const ScheduleLimits& limits, std::function<double()> spread)
      : limits_(limits), spread_(std::move(spread)) {}

  struct Busy {
    std::string host{};
    std::int64_t since_ms = 0;
  };
  /// What every host should have now; hosts that are not named are forgotten. Hosts that are still busy with an earlier
  /// turn are passed over; the answer names those that have been for long, once per turn.
  std::vector<Busy> poll(const Rollout& rollout, const std::vector<Wish>& wishes, std::int64_t now_ms);

  /// One host's turn before the next poll, where it is known; false where it is busy.
  bool wake(const Wish& wish, std::int64_t now_ms);
  /// The same commit, and what every host should have of it differs: somebody failed it, and others go back.
  void wish_again(const std::vector<Wish>& wishes, std::int64_t now_ms);
  /// True once, where a host failed a commit that all go back from, or failed it late.
  bool take_look_again() { return std::exchange(look_again_, false); }

  /// What is known of the rollout from before; to be said before the first poll.
  void remember(RolloutPlace place) { waves_.remember(std::move(place)); }
  /// How far the rollout is.
  [[nodiscard]] RolloutPlace place() const;
  [[nodiscard]] const Rollout& rollout() const { return waves_.rollout(); }
  /// It failed on one host, and all that have it go back.
  [[nodiscard]] bool goes_back() const { return stopped_ && rollout().all_back; }
  /// A host that has the commit fails a check just now: nobody begins it until that is known to be nothing.
  void doubt(bool doubtful) { doubtful_ = doubtful; }
  /// What waits for a pause to end.
  [[nodiscard]] bool pausing() const { return !stopped_ && !advancing_.empty() && waves_.place().next_ms != 0; }

  /// The turns that begin now, with what they are for. They count as running until ended().
  std::vector<Choice> start(std::int64_t now_ms);
  /// Asked by a host's turn that has found what to change: false where the canary is not done or failed.
  bool may_begin(const std::string& host, std::int64_t now_ms);
  /// Something else is wanted of a host than what its running turn is for, and it may have that now.
  [[nodiscard]] bool overtaken(const std::string& host) const;
  /// A turn is over: what came of it. `asked` is false where the host was left alone.
  void ended(const std::string& host, HostResult result, bool asked, std::int64_t now_ms);
  /// Hosts that wait for a commit which has failed on another one, each told once; say what they do instead().
  std::vector<std::string> take_stopped();
  void instead(const Choice& choice, std::int64_t now_ms);

  /// Nothing runs and nothing waits for its turn (hosts that wait for their next try do not count).
  [[nodiscard]] bool idle() const;
  /// Every host that does not keep us waiting has had its turn.
  [[nodiscard]] bool caught_up() const {
    return swift_.empty() && advancing_.empty() && running(Lane::swift) + running(Lane::rollout) == 0;
  }
  [[nodiscard]] std::size_t running(Lane lane) const { return count_[static_cast<std::size_t>(lane)]; }
  /// How often in a row the host was not reached.
  [[nodiscard]] int failures(const std::string& host) const;

 private:
  enum class Queue { none, swift, slow, advancing };
  struct Entry {
    explicit Entry(const ContactLimits& limits) : contact(limits) {}
    Contact contact;
    Wish wish{};            // of the newest poll
    Wish turn{};            // what the running turn is for
    std::string rollout{};  // the commit that the running turn belongs to
    bool known = false;     // named by the newest poll
    std::size_t place = 0;  // in the environment's list
    bool running = false;
    bool begun = false;  // the running turn changes its host
    bool told = false;   // that it is busy
    Queue queue = Queue::none;
    Lane lane = Lane::swift;
    std::int64_t since_ms = 0;
  };

  void take_wishes(const std::vector<Wish>& wishes, std::int64_t now_ms);
  void take_wish(const Wish& wish, std::size_t place, std::int64_t now_ms);
  void enqueue(const std::string& host, Entry& entry, std::int64_t now_ms);
  void forget_gone();
  void run(const std::string& host, Lane lane, std::int64_t now_ms, std::vector<Choice>& begins);
  void take(std::deque<std::string>& queue, Lane lane, std::int64_t now_ms, std::vector<Choice>& begins);
  void demote(std::int64_t now_ms);
  void start_wave(std::int64_t now_ms, std::vector<Choice>& begins);
  void start_canaries(std::int64_t now_ms, std::vector<Choice>& begins);
  void judge_rollout(const std::string& host, HostResult result, std::int64_t now_ms);
  [[nodiscard]] std::int64_t patience_ms() const;
  void remember_time(std::int64_t took_ms);
  [[nodiscard]] Lane lane_of(const Entry& entry, Lane otherwise) const;
  [[nodiscard]] bool room(Lane lane) const;
  [[nodiscard]] bool in_rollout(const Entry& entry) const;
  [[nodiscard]] std::size_t in_rollout() const;
  [[nodiscard]] std::size_t about_to_join() const;
  [[nodiscard]] bool undoing() const;

  ScheduleLimits limits_;
  std::function<double()> spread_;
  std::map<std::string, Entry> hosts_{};
  std::set<std::string> running_{};
  std::deque<std::string> swift_{};
  std::deque<std::string> slow_{};
  std::deque<std::string> advancing_{};
  std::array<std::size_t, 3> count_{};

  std::deque<std::int64_t> times_ms_{};  // how long the latest hosts took that answered
  std::int64_t typical_ms_ = 0;          // their median

  Waves waves_{};
  bool stopped_ = false;
  bool look_again_ = false;
  bool doubtful_ = false;
  std::int64_t widened_ms_ = 0;
};

}  // namespace holdfast
