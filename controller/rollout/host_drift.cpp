// Drift that the policy leaves as it is: found, told once, and kept out of what is put right.
#include <controller/rollout/host_steps.hpp>

#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_left = 900;  // a host refuses to be told of more
constexpr std::size_t most_named = 5;
constexpr std::int64_t watch_ms = 10'000;
constexpr std::int64_t traces_ms = 5'000;
constexpr std::size_t most_traced = 10;
constexpr std::size_t most_traced_bytes = 500;
constexpr std::int64_t year_9999_ms = 253'402'300'799'000;  // a host's clock and word are not trusted further

}  // namespace

std::string line_of(const ChangeTrace& one) {
  if (one.id.empty()) return "who changed it is not known: " + one.by;
  const std::string when = one.at_ms > 0 ? " at " + utc_text(one.at_ms).substr(11, 8) + " UTC" : "";
  return one.id + " changed" + when + (one.known ? ", probably by " : "; by whom is ") + one.by;
}

/// What is put right beside it is planned again without it, so that nothing restarts for its sake.
PlanReply HostSteps::leave_drift(PlanReply reply) {
  drifted_.clear();
  if (!is_repair() || job_.drift.heals_all()) return reply;
  constexpr int most_plans = 3;
  for (int i = 0; i < most_plans; ++i) {
    const std::size_t before = drifted_.size();
    const auto is_left = [this](const auto& one) {
      if (job_.drift.heals(one.origin.resource)) return false;
      drifted_.push_back(to_text(one.id));
      return true;
    };
    std::erase_if(reply.plan.actions, is_left);
    std::erase_if(reply.plan.refusals, is_left);
    const bool more = drifted_.size() > before;
    if (!more || reply.plan.nothing_to_do()) break;
    if (drifted_.size() > most_left) {  // so much is no accident of one resource: a person has to see it first
      reply.plan.actions.clear();
      break;
    }
    reply = plan();
  }
  tell_drift();
  return reply;
}

void HostSteps::keep_watch() {
  if (!tools_.keep_watch || owner_ || !session_) return;
  try {
    if (!(*session_)->alive()) return;
    const std::string text = (*session_)->keep_watch(in(watch_ms));
    if (!text.empty()) show(Progress::Level::detail, text);
  } catch (const Error& error) {  // the sweep finds drift all the same
    show(Progress::Level::detail, std::string("no watch is kept: ") + error.what());
  }
}

std::string HostSteps::drift_text() const {
  std::string text = "differs from what was verified: ";
  for (std::size_t i = 0; i < std::min(drifted_.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + drifted_[i];
  if (drifted_.size() > most_named) text += " and " + std::to_string(drifted_.size() - most_named) + " more";
  return text + "; left as it is by the policy (drift.selfHeal): the next commit sets it, or `holdfast apply " +
         job_.environment + " --repair`";
}

/// Before anything is put right: what is there now is what somebody left. Never worth failing for.
std::vector<ChangeTrace> HostSteps::traces_of(std::vector<std::string> ids) {
  std::vector<ChangeTrace> traces;
  if (ids.size() > most_traced) ids.resize(most_traced);
  try {
    for (const RunnerClient::Trace& one : (*session_)->traces(ids, in(traces_ms))) {
      traces.push_back({.id = one_line(one.id.substr(0, most_traced_bytes)),
                        .at_ms = std::clamp<std::int64_t>(one.at_ms, 0, year_9999_ms),
                        .by = one_line(one.by.substr(0, most_traced_bytes)),
                        .known = !one.by.starts_with("unknown")});
    }
  } catch (const Error& error) {
    if (!(*session_)->alive()) throw;
    traces.push_back({.by = one_line(error.what())});
  }
  return traces;
}

/// Told once for each drift, with who did it; what is told of it stays while it lasts.
void HostSteps::tell_drift() {
  std::ranges::sort(drifted_);
  if (drifted_.empty()) return;
  const std::string text = printable(drift_text());
  drift_detail_ = text;
  if (stored_.state == "drifted" && stored_.detail.starts_with(text)) {
    drift_detail_ = stored_.detail;
    return;
  }
  if (job_.standing && stored_.detail.find(text) != std::string::npos) return;
  tell(Progress::Level::warning, "drifted: " + text);
  for (const ChangeTrace& one : traces_of(drifted_)) {
    tell(Progress::Level::warning, line_of(one));
    drift_detail_ += "; " + line_of(one);
  }
}

}  // namespace holdfast
