// The stages up to the host's own word on the transaction. What follows from that word is in host_outcome.cpp.
#include <controller/rollout/host_steps.hpp>

#include <controller/health/watch.hpp>
#include <controller/plan/plan_words.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t connect_ms = 20'000;
constexpr std::int64_t request_ms = 60'000;
constexpr std::int64_t contents_ms = 600'000;
constexpr std::int64_t apply_ms = 3'600'000;  // build steps have deadlines of their own
constexpr std::int64_t attach_ms = 150'000;   // the dead-man's 120 s and what its undo takes
constexpr std::int64_t batch_bytes = 8 << 20;

/// Sortable, unique, and what the host accepts as a transaction's name.
std::string transaction_id(const Clock& clock) {
  return "t" + std::to_string(clock.wall_ms() / 1000) + "-" + clock.random_hex();
}

}  // namespace

HostSteps::HostSteps(const HostJob& job, HostTools& tools) : job_(job), tools_(tools) { take_record(); }

void HostSteps::take_record() {
  const std::string& name = job_.desired->host.name;
  stored_ = tools_.store.host(job_.environment, name).value_or(HostRecord{});
  record_ = stored_;
  record_.seen_ms = std::max(record_.seen_ms, job_.seen_ms);
  record_.environment = job_.environment;
  record_.host = name;
  record_.desired_commit = job_.standing ? job_.standing->wanted_commit : job_.commit.id;
}

Deadline HostSteps::in(std::int64_t ms) const {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
}

void HostSteps::look() {
  HOLDFAST_FAILPOINT("turn.look");
  for (;;) {
    session_.reset();
    session_.emplace(tools_.sessions.checkout(job_.desired->host, in(connect_ms)));
    try {
      ask_for_plan();
      record_.seen_ms = tools_.clock.wall_ms();
      return;
    } catch (const Error&) {
      if ((*session_)->alive()) {
        // What is half done may be why no plan can be made: it is settled first.
        const auto standing = (*session_)->claim({.lease_ms = tools_.lease_ms}, 0, in(request_ms));
        open_ = standing.open;
        owner_ = standing.owner;
        tools_.store.raise_epoch(standing.epoch);
        if (!open_) throw;
        record_.seen_ms = tools_.clock.wall_ms();
        return;
      }
      // A kept session may have died since its last use; a new one that fails is the host's doing.
      if (!session_->kept()) throw;
      session_->discard();
    }
  }
}

void HostSteps::ask_for_plan() {
  RunnerClient::PlanRequest request = plan_request();
  const auto ask = [&] {
    plan_ = (*session_)->plan(job_.desired->lowered.bundle, request, in(request_ms));
    tools_.store.raise_epoch(plan_->epoch);
  };
  ask();
  if (plan_->owner && plan_->owner->lapsed) {
    tell(Progress::Level::warning, "taking the host over from the controller \"" + plan_->owner->name +
                                       "\", which was silent for " + std::to_string(plan_->owner->seen_ms_ago / 1000) +
                                       " s");
    request.epoch = tools_.store.next_epoch();  // its record stays: what that one did is learned now
    ask();
  }
  owner_ = plan_->owner;
  open_ = plan_->open;
  List backups;
  for (const BackupReply& one : plan_->backups) backups.push_back(to_value(one));
  record_.backups = to_json(backups);
}

PlanReply HostSteps::plan() {
  if (!plan_) ask_for_plan();
  return *std::exchange(plan_, std::nullopt);
}

HostPlan HostSteps::host_plan(const PlanReply& reply) const {
  HostPlan plan{.host = record_.host,
                .environment = job_.environment,
                .commit = job_.commit.id,
                .plan = reply.plan,
                .old_contents = reply.old_contents};
  plan.new_content = [&contents = job_.desired->lowered.contents, this](const std::string& digest) {
    const auto found = contents.find(digest);
    return found == contents.end() ? std::string() : tools_.read_content(found->second);
  };
  tell_release_sizes(plan.plan, job_.desired->lowered.bundle);
  for (const Check& check : job_.desired->lowered.checks) plan.checks.push_back(check.name);
  plan.running = running_units(job_.desired->lowered.bundle);
  plan.down_ms = tools_.store.downs(job_.environment, record_.host);
  return plan;
}

void HostSteps::begin(const PlanReply& reply) {
  std::vector<ChangeTrace> traces;
  if (is_repair()) {
    std::vector<std::string> ids;
    for (const Action& action : reply.plan.actions) ids.push_back(to_text(action.id));
    traces = traces_of(std::move(ids));
  }
  HostPlan planned = host_plan(reply);
  std::ranges::copy_if(traces, std::back_inserter(planned.changed_by),
                       [](const ChangeTrace& one) { return !one.id.empty(); });
  account_.begin(std::move(planned));
  transaction_ = transaction_id(tools_.clock);
  epoch_ = record_.epoch = tools_.store.next_epoch();
  Deployment deployment;
  deployment.environment = job_.environment;
  deployment.host = record_.host;
  deployment.transaction = transaction_;
  deployment.commit = job_.commit.id;
  deployment.from_commit = record_.live_commit;
  deployment.subject = job_.commit.summary;
  deployment.author = job_.commit.author;
  deployment.cause = is_repair() ? "drift" : job_.rollback ? "rollback" : "commit";
  deployment.requested_by = job_.requested_by;
  deployment.plan = keep_plan(account_.plan());
  deployment.begun_ms = tools_.clock.wall_ms();
  deployment.process = tools_.process;
  HOLDFAST_FAILPOINT("turn.begin");
  deployment_ = tools_.store.begin_deployment(deployment);
  HOLDFAST_FAILPOINT("turn.begun");

  const std::string what = is_repair() ? "repairing drift: " : "applying " + job_.commit.id.substr(0, 12) + ": ";
  show(Progress::Level::step, what + account_.summary(), account_.record());
  for (const ChangeTrace& one : traces) tell(Progress::Level::step, line_of(one));
  for (const std::string& warning : account_.warnings()) show(Progress::Level::change, warning);
}

void HostSteps::take_baseline() {
  if (first_time()) return;  // there is no state yet that a check could have been true of
  const Value live = from_json(record_.live_checks.empty() ? "[]" : record_.live_checks);
  const auto was_live = [&live](const Check& check) {
    return std::ranges::any_of(live.as_list(), [&check](const Value& one) {
      return one.at("name").as_text() == check.name && one.at("spec") == check.spec;
    });
  };
  std::map<std::string, std::int64_t> restarts;
  for (const Check& check : job_.desired->lowered.checks) {
    if (!was_live(check)) continue;  // what this change brings can't have been true before
    baseline_.push_back(sample(check, **session_, restarts));
    if (!baseline_.back().passed) {
      tell(Progress::Level::detail, "before the change: " + check.name + " does not pass: " + baseline_.back().detail);
    }
  }
}

void HostSteps::send_contents(const Plan& plan) {
  if (plan.missing.empty()) return;
  const auto& contents = job_.desired->lowered.contents;
  const ContentSource source = [&](const std::string& digest) {
    const auto found = contents.find(digest);
    if (found == contents.end()) throw Error("the host asks for content " + digest + " that no manifest names");
    return tools_.read_content(found->second);
  };
  // In batches: a release's files are never all in memory at once.
  std::vector<std::string> batch;
  std::int64_t bytes = 0;
  const auto flush = [&] {
    if (!batch.empty()) (*session_)->send(batch, source, in(contents_ms));
    batch.clear();
    bytes = 0;
  };
  for (const std::string& digest : plan.missing) {
    batch.push_back(digest);
    const auto found = contents.find(digest);
    bytes += found == contents.end() ? 0 : static_cast<std::int64_t>(found->second.size);
    if (bytes > batch_bytes) flush();
  }
  flush();
  tell(Progress::Level::detail, "sent " + std::to_string(plan.missing.size()) + " contents that the host lacked");
}

TransactionReply HostSteps::apply(const Plan& plan) {
  ApplyRequest request{.transaction = transaction_,
                       .epoch = epoch_,
                       .bundle_digest = plan.bundle_digest,
                       .plan_digest = plan.digest,
                       .commit = job_.commit.id,
                       .deadman_ms = job_.health.confirm_within_ms,
                       .allow_prune = job_.allow_prune};
  for (const Contended& one : contended_) request.leave.push_back(one.id);
  request.leave.insert(request.leave.end(), drifted_.begin(), drifted_.end());
  request.leave.insert(request.leave.end(), job_.leave.begin(), job_.leave.end());
  HOLDFAST_FAILPOINT("turn.apply");
  applied_ = true;
  try {
    const TransactionReply reply = (*session_)->apply(
        request,
        [this](const Value& event) {
          tell_event(event);
          cut_short_between_steps();
        },
        in(apply_ms));
    return cut_short_.value_or(reply);
  } catch (const HostSaysNo&) {
    throw;
  } catch (const Error& error) {
    return attach_again(error.what());
  }
}

/// The outcome of a lost request is unknown, not failed: the host is asked by the transaction's id, never told to
/// repeat.
TransactionReply HostSteps::attach_again(const std::string& why) {
  tell(Progress::Level::warning, std::string("contact lost (") + why + "): asking the host again");
  session_->discard();
  const Deadline deadline = in(attach_ms);
  const std::int64_t fence = tools_.store.next_epoch();
  for (std::int64_t wait = 1000;; wait = std::min<std::int64_t>(wait * 2, 10'000)) {
    try {
      auto client = tools_.sessions.fresh(job_.desired->host, in(connect_ms));
      const TransactionReply now = client->came_of(transaction_, fence, in(request_ms));
      if (is_at_end(now)) return now;
      return client->attach(
          transaction_, [this](const Value& event) { tell_event(event); }, in(apply_ms));
    } catch (const Error& error) {
      if (std::chrono::steady_clock::now() > deadline) throw;
      tell(Progress::Level::detail, std::string("no contact yet: ") + error.what());
    }
    tools_.clock.sleep_ms(wait);
  }
}

Verdict HostSteps::watch_health() {
  HOLDFAST_FAILPOINT("turn.applied");
  const std::size_t number = job_.desired->lowered.checks.size();
  if (number != 0) {
    tell(Progress::Level::step, "checking health: " + std::to_string(number) + (number == 1 ? " check" : " checks"));
  }
  HealthPolicy policy = job_.health;
  // A repair goes back to what has passed its watch already: that it works again has to be seen once.
  if (is_repair()) policy.passes = 1;
  return watch(job_.desired->lowered.checks, policy, first_time());
}

Verdict HostSteps::watch(const std::vector<Check>& checks, const HealthPolicy& policy, bool blame_all) {
  try {
    fresh_ = tools_.sessions.fresh(job_.desired->host, in(connect_ms));
    (void)fresh_->open_transaction(
        in(request_ms));  // a new connection must carry a request before it proves that there is one
    std::set<std::string> told;
    HealthWatch watched;
    watched.checks = checks;
    watched.policy = policy;
    watched.baseline = baseline_;
    watched.blame_baseline = blame_all;
    watched.cut_short = [this] { return !why_superseded().empty(); };
    watched.clock = {tools_.clock.monotonic_ms, tools_.clock.sleep_ms};
    watched.on_round = [&](const std::vector<Sample>& round, const Verdict&) {
      if (!account_.is_undone()) account_.checked(round);
      last_round_ = round;
      for (const Sample& one : round) {
        if (!one.passed && told.insert(one.check + one.detail).second) {
          tell(Progress::Level::detail, one.check + ": " + one.detail);
        }
      }
    };
    return holdfast::watch_health(watched, *fresh_);
  } catch (const Error& error) {
    return {.state = Verdict::State::unhealthy,
            .why = std::string("the host can't be reached over a new connection: ") + error.what()};
  }
}

void HostSteps::tell(Progress::Level level, const std::string& text) {
  const std::string line = printable(text);
  if (deployment_ != 0) tools_.store.add_event(deployment_, tools_.clock.wall_ms(), line);
  if (tools_.on_progress) tools_.on_progress({level, job_.environment, record_.host, line});
}

void HostSteps::show(Progress::Level level, const std::string& text, const Value& record) const {
  if (tools_.on_progress) tools_.on_progress({level, job_.environment, record_.host, printable(text), record});
}

void HostSteps::tell_event(const Value& event) {
  const std::string kind = event.text_or("kind", "");
  for (const Account::Line& line : account_.take(event)) {
    if (line.level == Progress::Level::bad) tell(line.level, line.text);
    if (line.level != Progress::Level::bad) show(line.level, line.text, line.record);
  }
  if (kind == "validator") {
    const bool ok = event.bool_or("ok", false);
    const std::string output = event.text_or("output", "");
    const bool passed_over = ok && output.starts_with("not run");
    tell(passed_over ? Progress::Level::warning
         : ok        ? Progress::Level::detail
                     : Progress::Level::bad,
         event.text_or("name", "") + (ok && !passed_over ? ": ok" : ": " + output));
  }
  if (kind == "backup")
    tell(Progress::Level::detail, "backup " + event.text_or("policy", "") + ": " + event.text_or("text", ""));
  if (kind == "phase" && event.text_or("phase", "") == "backup") {
    tell(Progress::Level::step, "taking a backup first");
  }
  if (kind == "phase" && event.text_or("phase", "") == "rollback") {
    tell(Progress::Level::warning, "rolling back");
  }
}

}  // namespace holdfast
