#include <controller/rollout/schedule.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr int patience_with_undo = 6;  // times as long as for a silent host

bool is_fine(HostResult result) {
  return result == HostResult::deployed || result == HostResult::unchanged || result == HostResult::repaired ||
         result == HostResult::contended || result == HostResult::drifted ||
         result == HostResult::degraded;  // nothing to blame the commit for
}

}  // namespace

std::vector<Schedule::Busy> Schedule::poll(const Rollout& rollout, const std::vector<Wish>& wishes,
                                           std::int64_t now_ms) {
  const bool another = waves_.begin(rollout);
  if (another) widened_ms_ = now_ms;
  if (another || (stopped_ && in_rollout() == 0)) {  // what was stopped may be tried again: somebody said so
    if (!another) waves_.begin_again();
    stopped_ = false;
  }
  take_wishes(wishes, now_ms);

  std::vector<Busy> busy;
  for (const std::string& host : running_) {
    Entry& entry = hosts_.at(host);
    if (!entry.known || now_ms - entry.since_ms < limits_.tell_ms) continue;
    if (!std::exchange(entry.told, true)) busy.push_back({host, entry.since_ms});
  }
  return busy;
}

bool Schedule::wake(const Wish& wish, std::int64_t now_ms) {
  const auto found = hosts_.find(wish.choice.host);
  if (found == hosts_.end() || !found->second.known) return true;
  Entry& entry = found->second;
  if (entry.running) return false;
  if (entry.queue != Queue::none) return true;  // it will look, or change the host anyway
  entry.wish = wish;
  entry.contact.hurry();
  enqueue(wish.choice.host, entry, now_ms);
  return true;
}

void Schedule::wish_again(const std::vector<Wish>& wishes, std::int64_t now_ms) { take_wishes(wishes, now_ms); }

void Schedule::take_wishes(const std::vector<Wish>& wishes, std::int64_t now_ms) {
  for (auto& [host, entry] : hosts_) {
    entry.known = false;
    if (entry.queue == Queue::advancing) entry.queue = Queue::none;
  }
  advancing_.clear();
  for (std::size_t i = 0; i < wishes.size(); ++i) take_wish(wishes[i], i, now_ms);
  forget_gone();
}

void Schedule::take_wish(const Wish& wish, std::size_t place, std::int64_t now_ms) {
  const auto [at, fresh] = hosts_.try_emplace(wish.choice.host, limits_.contact);
  Entry& entry = at->second;
  if (fresh && wish.unreachable) entry.contact.assume_missed();
  if (entry.wish.goal != wish.goal) entry.contact.hurry();
  entry.wish = wish;
  entry.place = place;
  entry.known = true;
  const bool advance = wish.choice.turn == Turn::advance;
  if (advance && entry.queue != Queue::none) {
    std::erase(entry.queue == Queue::swift ? swift_ : slow_, wish.choice.host);
    entry.queue = Queue::none;
  }
  if (!entry.running && entry.queue == Queue::none) enqueue(wish.choice.host, entry, now_ms);
}

void Schedule::enqueue(const std::string& host, Entry& entry, std::int64_t now_ms) {
  if (!entry.contact.due(now_ms)) return;
  if (entry.wish.choice.turn == Turn::advance) {
    entry.queue = Queue::advancing;
    const auto after = std::ranges::upper_bound(advancing_, entry.place, {},
                                                [this](const std::string& one) { return hosts_.at(one).place; });
    advancing_.insert(after, host);
    return;
  }
  const bool slow = entry.contact.tries_patience();
  entry.queue = slow ? Queue::slow : Queue::swift;
  (slow ? slow_ : swift_).push_back(host);
}

void Schedule::forget_gone() {
  const auto gone = [this](const std::string& host) { return !hosts_.at(host).known; };
  std::erase_if(swift_, gone);
  std::erase_if(slow_, gone);
  std::erase_if(hosts_, [](const auto& entry) { return !entry.second.known && !entry.second.running; });
}

std::vector<Choice> Schedule::start(std::int64_t now_ms) {
  std::vector<Choice> begins;
  demote(now_ms);
  take(swift_, Lane::swift, now_ms, begins);
  take(slow_, Lane::slow, now_ms, begins);
  if (!stopped_ && !doubtful_ && !advancing_.empty()) {
    if (waves_.proven()) {
      start_wave(now_ms, begins);
    } else {
      start_canaries(now_ms, begins);
    }
  }
  return begins;
}

/// A turn that keeps us waiting gives its place to the next host. One that changes its host keeps it: those are meant
/// to be few at once.
void Schedule::demote(std::int64_t now_ms) {
  for (const std::string& host : running_) {
    Entry& entry = hosts_.at(host);
    const bool waits = entry.lane == Lane::swift || (entry.lane == Lane::rollout && !entry.begun);
    if (!waits || now_ms - entry.since_ms < patience_ms()) continue;
    if (!room(Lane::slow)) return;
    --count_[static_cast<std::size_t>(entry.lane)];
    entry.lane = Lane::slow;
    ++count_[static_cast<std::size_t>(Lane::slow)];
  }
}

void Schedule::take(std::deque<std::string>& queue, Lane lane, std::int64_t now_ms, std::vector<Choice>& begins) {
  while (!queue.empty() && room(lane)) {
    const std::string host = queue.front();
    queue.pop_front();
    run(host, lane, now_ms, begins);
  }
}

void Schedule::run(const std::string& host, Lane lane, std::int64_t now_ms, std::vector<Choice>& begins) {
  Entry& entry = hosts_.at(host);
  entry.queue = Queue::none;
  entry.turn = entry.wish;
  entry.rollout = rollout().key;
  entry.running = true;
  entry.begun = false;
  entry.told = false;
  entry.lane = lane;
  entry.since_ms = now_ms;
  running_.insert(host);
  ++count_[static_cast<std::size_t>(lane)];
  begins.push_back(entry.turn.choice);
}

/// As many as the wave has room for; who is silent takes no place of it.
void Schedule::start_wave(std::int64_t now_ms, std::vector<Choice>& begins) {
  const auto asked = static_cast<std::size_t>(std::ranges::count_if(running_, [this](const std::string& host) {
    const Entry& entry = hosts_.at(host);
    return in_rollout(entry) && !entry.begun && entry.lane != Lane::slow;
  }));
  const std::size_t places = waves_.room(now_ms);
  std::size_t left = places - std::min(places, asked);
  std::deque<std::string> later;
  for (const std::string& host : std::exchange(advancing_, {})) {
    const Lane lane = lane_of(hosts_.at(host), Lane::rollout);
    if (left != 0 && room(lane)) {
      run(host, lane, now_ms, begins);
      if (lane != Lane::slow) --left;
    } else {
      later.push_back(host);
    }
  }
  advancing_ = std::move(later);
}

/// One host at a time, the first that is known to answer. While the one that was asked is silent, more are asked, twice
/// as many each time; whoever gets as far as may_begin() first is the canary, and the others wait for it.
void Schedule::start_canaries(std::int64_t now_ms, std::vector<Choice>& begins) {
  if (!waves_.canary().empty()) return;
  const std::size_t asked = in_rollout() + about_to_join();
  const std::int64_t widen_ms = limits_.widen_ms * (undoing() ? patience_with_undo : 1);
  if (asked != 0 && now_ms - widened_ms_ < widen_ms) return;
  for (std::size_t left = std::max<std::size_t>(asked, 1); left != 0 && !advancing_.empty(); --left) {
    auto next = std::ranges::find_if(
        advancing_, [this](const std::string& host) { return !hosts_.at(host).contact.tries_patience(); });
    if (next == advancing_.end()) next = advancing_.begin();
    Lane lane = lane_of(hosts_.at(*next), Lane::rollout);
    if (!room(lane)) lane = Lane::slow;
    if (!room(lane)) return;
    const std::string host = *next;
    advancing_.erase(next);
    run(host, lane, now_ms, begins);
    widened_ms_ = now_ms;
  }
}

bool Schedule::may_begin(const std::string& host, std::int64_t now_ms) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return false;
  Entry& entry = found->second;
  remember_time(now_ms - entry.since_ms);
  if (entry.turn.choice.turn == Turn::advance) {
    if (stopped_ || doubtful_ || entry.rollout != rollout().key) return false;  // a newer commit is wanted meanwhile
    if (!waves_.take(host, now_ms)) return false;
  }
  entry.begun = true;
  return true;
}

void Schedule::ended(const std::string& host, HostResult result, bool asked, std::int64_t now_ms) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end() || !found->second.running) return;
  Entry& entry = found->second;
  entry.running = false;
  running_.erase(host);
  --count_[static_cast<std::size_t>(entry.lane)];
  const Turn turn = entry.turn.choice.turn;
  if (asked && result == HostResult::unreachable) {
    entry.contact.missed(now_ms, spread_());
  } else if (asked && result != HostResult::unknown) {
    const std::int64_t took = now_ms - entry.since_ms;
    const bool tells = turn == Turn::steady && result == HostResult::unchanged;  // a deployment takes its time
    const bool slow = took > std::max(limits_.patience_ms, patience_ms());
    entry.contact.answered(tells ? std::optional<bool>(slow) : std::nullopt);
    if (tells) remember_time(took);
  }
  if (turn == Turn::advance && in_rollout(entry)) judge_rollout(host, result, now_ms);
  const bool late = result == HostResult::held && (turn == Turn::steady || turn == Turn::enforce);
  if (late) look_again_ = true;  // it had passed its health watch, and goes back now
  if (late && turn == Turn::steady) stopped_ = true;
  if (!entry.known) {
    hosts_.erase(found);
    return;
  }
  const bool again = entry.wish.goal != entry.turn.goal;
  const bool sent_back = turn == Turn::advance && result == HostResult::waiting;
  const bool goes_back = entry.wish.choice.turn == Turn::back && turn != Turn::back;  // said while it was busy
  if (again || sent_back || goes_back) enqueue(host, entry, now_ms);
}

/// Several times what is usual. Where all hosts are slow it is us who are, or the way to them: more turns at once would
/// make it worse.
std::int64_t Schedule::patience_ms() const {
  constexpr int times_typical = 8;
  constexpr std::size_t enough = 16;
  const bool known = times_ms_.size() >= enough;
  return std::max(known ? limits_.least_patience_ms : limits_.patience_ms, times_typical * typical_ms_);
}

void Schedule::remember_time(std::int64_t took_ms) {
  constexpr std::size_t most = 64;
  times_ms_.push_back(took_ms);
  if (times_ms_.size() > most) times_ms_.pop_front();
  std::vector<std::int64_t> sorted(times_ms_.begin(), times_ms_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle);
  typical_ms_ = *middle;
}

void Schedule::judge_rollout(const std::string& host, HostResult result, std::int64_t now_ms) {
  if (result == HostResult::unreachable || result == HostResult::failed || result == HostResult::waiting || result == HostResult::busy ||
      result == HostResult::observing || result == HostResult::suspended || result == HostResult::disturbed) {
    waves_.gave_up(host);
  } else if (is_fine(result)) {
    waves_.done(host, now_ms);
  } else {
    waves_.gave_up(host);
    stopped_ = true;
  }
  const bool held = result == HostResult::rolled_back || result == HostResult::rollback_failed;
  if (goes_back() && (held || is_fine(result))) look_again_ = true;
}

RolloutPlace Schedule::place() const {
  RolloutPlace place = waves_.place();
  place.left = static_cast<std::size_t>(std::ranges::count_if(hosts_, [this](const auto& one) {
    return one.second.known && one.second.wish.choice.turn == Turn::advance && !waves_.has(one.first);
  }));
  return place;
}

std::vector<std::string> Schedule::take_stopped() {
  if (!stopped_ || advancing_.empty()) return {};
  std::vector<std::string> hosts(advancing_.begin(), advancing_.end());
  advancing_.clear();
  for (const std::string& host : hosts) hosts_.at(host).queue = Queue::none;
  return hosts;
}

void Schedule::instead(const Choice& choice, std::int64_t now_ms) {
  const auto found = hosts_.find(choice.host);
  if (found == hosts_.end() || found->second.running || found->second.queue != Queue::none) return;
  found->second.wish.choice = choice;
  enqueue(choice.host, found->second, now_ms);
}

bool Schedule::idle() const { return running_.empty() && swift_.empty() && slow_.empty() && advancing_.empty(); }

int Schedule::failures(const std::string& host) const {
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? 0 : found->second.contact.failures();
}

Lane Schedule::lane_of(const Entry& entry, Lane otherwise) const {
  return entry.contact.tries_patience() ? Lane::slow : otherwise;
}

bool Schedule::room(Lane lane) const {
  return running(lane) < (lane == Lane::slow ? limits_.patient : limits_.workers);
}

/// Hosts that are busy with what was wanted of them before: the first of the list stays the first to be asked.
std::size_t Schedule::about_to_join() const {
  return static_cast<std::size_t>(std::ranges::count_if(running_, [this](const std::string& host) {
    const Entry& entry = hosts_.at(host);
    const bool silent = entry.lane == Lane::slow && !entry.begun;  // who changes something answers
    return entry.known && !silent && entry.wish.choice.turn == Turn::advance && entry.wish.goal != entry.turn.goal;
  }));
}

bool Schedule::overtaken(const std::string& host) const {
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return false;
  const Entry& entry = found->second;
  const Turn now = entry.wish.choice.turn;
  if (!entry.running || !entry.known) return false;
  if (goes_back() && in_rollout(entry)) return true;
  return entry.wish.goal != entry.turn.goal && (now == Turn::advance || now == Turn::steady);
}

/// A host that undoes what was wanted before has it last, so it should be the first to have what may mend it.
bool Schedule::undoing() const {
  return std::ranges::any_of(running_, [this](const std::string& host) {
    const Entry& entry = hosts_.at(host);
    return entry.begun && entry.turn.choice.turn == Turn::advance && entry.wish.choice.turn == Turn::advance &&
           overtaken(host);
  });
}

bool Schedule::in_rollout(const Entry& entry) const {
  return entry.turn.choice.turn == Turn::advance && entry.rollout == rollout().key;
}

std::size_t Schedule::in_rollout() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(running_, [this](const std::string& host) { return in_rollout(hosts_.at(host)); }));
}

}  // namespace holdfast
