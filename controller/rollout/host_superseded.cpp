// A newer desired state takes the place of one that is still on its way: what was begun is undone at the next boundary
// between two steps, nobody judged it, so nothing is held.
#include <controller/rollout/host_steps.hpp>

#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/failpoint.hpp>

namespace holdfast {

namespace {

constexpr std::int64_t connect_ms = 20'000;
constexpr std::int64_t undo_ms = 600'000;

}  // namespace

HostReport HostSteps::judged(const Verdict& verdict) {
  switch (verdict.state) {
    case Verdict::State::healthy:
      return confirm(verdict);
    case Verdict::State::unhealthy:
      return roll_back(verdict.why, verdict.blamed);
    case Verdict::State::wait:
      break;
  }
  tell(Progress::Level::warning, "ended before it was judged: " + why_superseded());
  HOLDFAST_FAILPOINT("turn.superseded");
  return superseded(undo(set_aside_reason));
}

std::optional<HostReport> HostSteps::superseded_before() {
  const std::string why = why_superseded();
  if (why.empty()) return std::nullopt;
  end(Outcome::superseded, "nothing was done: " + why);  // these words keep it out of the audit
  tell(Progress::Level::warning, "nothing was done: " + why);
  return report(HostResult::waiting, "waiting", why);
}

/// The request goes over a connection of its own: the one of the transaction is busy with it. The host heeds it between
/// two steps; where the last one is done already, it undoes what waits for its confirmation.
void HostSteps::cut_short_between_steps() {
  if (tried_to_cut_ || why_superseded().empty()) return;
  tried_to_cut_ = true;
  tell(Progress::Level::warning, "ended between two steps: " + why_superseded());
  HOLDFAST_FAILPOINT("turn.superseded");
  try {
    const auto client = tools_.sessions.fresh(job_.desired->host, in(connect_ms));
    cut_short_ = client->rollback(
        transaction_, epoch_, set_aside_reason, [this](const Value& event) { tell_event(event); }, in(undo_ms));
  } catch (const Error& error) {
    // Where the request got lost the transaction goes on, and its health watch is cut short instead.
    tell(Progress::Level::detail, std::string("it could not be ended there: ") + error.what());
  }
}

HostReport HostSteps::superseded(const TransactionReply& undone) {
  if (undone.state != "rolled_back" || why_of(undone) != set_aside_reason) {
    return after_rollback(undone, why_of(undone).empty() ? set_aside_reason : why_of(undone), wanted());
  }
  std::string why = why_superseded();
  if (why.empty()) why = set_aside_reason;
  for (const std::string& one : undone.left) why += "; left alone because somebody else changed it meanwhile: " + one;
  end(Outcome::superseded, why);
  tell(Progress::Level::warning, "undone, and not held: " + why);
  return report(HostResult::waiting, "waiting", why);
}

}  // namespace holdfast
