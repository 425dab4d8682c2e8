#include <controller/cli/audit_commands.hpp>

#include <controller/audit/scribe.hpp>
#include <controller/audit/verify.hpp>
#include <controller/plan/plan_words.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <filesystem>
#include <ostream>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr int record_version = 1;
constexpr std::size_t short_id = 12;
constexpr std::int64_t fetch_ms = 120'000;
constexpr std::int64_t command_ms = 20'000;

Value problem_record(const TrailProblem& problem) {
  return Map{{"entry", problem.number}, {"commit", problem.commit}, {"problem", problem.what}};
}

}  // namespace

Trail open_trail(const std::string& folder) {
  Trail trail{.log = BranchLog::open(folder)};
  trail.tip = trail_tip(*trail.log);
  return trail;
}

Trail find_trail(const std::string& folder, const std::string& state) {
  if (!folder.empty()) return open_trail(folder);
  std::error_code error;
  if (!state.empty() && fs::exists(state + "/audit.git", error)) {
    Trail own{.log = BranchLog::open(state + "/audit.git")};
    try {
      own.tip = trail_tip(*own.log);
      return own;
    } catch (const Error&) {  // nothing was written there yet
    }
  }
  return open_trail(".");
}

Trail fetch_trail(const Remote& remote, const std::string& state) {
  fs::create_directories(state);
  const std::string folder = state + "/audit-look.git";
  MirrorOptions options;
  options.only_branch = audit_branch;
  const auto mirror = Mirror::open(folder, remote, options);
  mirror->fetch(std::chrono::steady_clock::now() + std::chrono::milliseconds(fetch_ms));
  return open_trail(folder);
}

int audit_verify_command(const Trail& trail, const std::string& seen, bool json, std::ostream& out) {
  TrailVerdict verdict = verify_trail(*trail.log, trail.tip.commit);
  if (!seen.empty() && !trail.log->contains(trail.tip.commit, seen)) {
    verdict.problems.push_back(
        {0, seen,
         "is what this controller saw last, and is not on the branch: it was rewritten since, or is not fetched"});
  }
  if (verdict.entries == 0) verdict.problems.push_back({0, trail.tip.commit, "there is no entry on the branch"});
  if (json) {
    List problems;
    for (const TrailProblem& one : verdict.problems) problems.push_back(problem_record(one));
    out << to_pretty_json(Map{{"kind", "audit-verdict"},
                              {"version", record_version},
                              {"branch", trail.tip.reference},
                              {"commit", trail.tip.commit},
                              {"entries", verdict.entries},
                              {"number", verdict.number},
                              {"digest", verdict.digest},
                              {"problems", std::move(problems)}})
        << "\n";
    return verdict.problems.empty() ? 0 : 1;
  }
  for (const TrailProblem& one : verdict.problems) {
    out << (one.number == 0
                ? "commit " + one.commit.substr(0, short_id)
                : "entry " + std::to_string(one.number) + " (commit " + one.commit.substr(0, short_id) + ")")
        << ": " << one_line(one.what) << "\n";
  }
  out << verdict.entries << (verdict.entries == 1 ? " entry" : " entries") << " at "
      << trail.tip.commit.substr(0, short_id) << " of " << trail.tip.reference << ": "
      << (verdict.problems.empty()
              ? "the chain holds, up to number " + std::to_string(verdict.number) + " with digest " + verdict.digest
              : "the chain is broken")
      << "\n";
  return verdict.problems.empty() ? 0 : 1;
}

AuditSettings audit_settings(const Context& context) {
  const AuditConfig& config = context.config.audit;
  return {.push = config.push,
          .author = {.name = config.name, .mail = config.mail.empty() ? "holdfast@" + machine_name() : config.mail},
          .state = context.config.state,
          .remote = context.config.repository,
          .mirror = context.settings.mirror};
}

void write_audit_now(Context& context, std::ostream& errors) {
  try {
    const std::string signs = context.config.processes_folder();
    const auto queue = AuditQueue::open(context.config.state_file());
    if (queue->count() == 0 || another_lives(signs, context.life->id())) return;
    Scribe scribe(audit_settings(context), *context.store, *queue, context.clock, {});
    if (scribe.now(command_ms)) return;
    errors << "holdfast: the entry for the branch " << audit_branch << " waits"
           << (scribe.why().empty() ? "" : ": " + one_line(scribe.why()))
           << "; the next command or `holdfast run` writes it\n";
  } catch (const Error& error) {
    errors << "holdfast: the entry for the branch " << audit_branch << " waits: " << error.what() << "\n";
  }
}

}  // namespace holdfast
