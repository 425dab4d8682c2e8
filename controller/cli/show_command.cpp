#include <controller/cli/deployment_record.hpp>
#include <controller/cli/look_commands.hpp>
#include <controller/cli/render_plan.hpp>
#include <controller/plan/kept_plan.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <ostream>

namespace holdfast {

namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void print_facts(const Deployment& one, const LookOptions& options, std::ostream& out) {
  const std::string outcome(to_text(one.outcome));
  out << "deployment " << one.id << "  " << styled(look_style(outcome), outcome, options.terminal.colour) << "\n"
      << "  environment  " << one.environment << "\n"
      << "  host         " << one.host << "\n"
      << "  revision     " << one.commit << "\n"
      << "               " << one.subject << " (" << one.author << ")\n"
      << "  before       " << (one.from_commit.empty() ? "nothing verified" : one.from_commit) << "\n"
      << "  cause        " << one.cause << ", by " << one.requested_by << "\n"
      << "  transaction  " << one.transaction << "\n"
      << "  begun        " << utc_text(one.begun_ms) << "\n";
  if (one.ended_ms != 0) out << "  took         " << duration_text(one.ended_ms - one.begun_ms) << "\n";
  if (!one.reason.empty()) out << "  why          " << first_line(one.reason) << "\n";
}

void print_checks(const TransactionResult& result, const LookOptions& options, std::ostream& out) {
  if (result.checks.empty()) return;
  out << "\nchecks of it\n";
  for (const CheckResult& one : result.checks) {
    const std::string word = one.passed ? "passed" : "failed";
    out << "  " << styled(one.passed ? Style::good : Style::bad, word, options.terminal.colour) << "  "
        << one_line(one.name) << (one.detail.empty() ? "" : ": " + one_line(one.detail)) << "  "
        << duration_text(one.took_ms) << "\n";
  }
}

void print_events(const std::vector<DeploymentEvent>& events, std::ostream& out) {
  out << "\nwhat happened\n";
  for (const DeploymentEvent& one : events) {
    std::string text = one.text;
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
      text.insert(at + 1, "             ");
    }
    out << "  " << utc_text(one.at_ms).substr(11, 8) << "   " << text << "\n";
  }
}

}  // namespace

int show_command(Store& store, std::int64_t id, const LookOptions& options, std::ostream& out) {
  const auto found = store.deployment(id);
  if (!found) {
    out << "there is no deployment " << id << "; `holdfast history` lists them\n";
    return 1;
  }
  const ShownDeployment shown = read_deployment(store, as_it_stands(*found, options));
  if (options.json) {
    out << to_pretty_json(record_of(shown)) << "\n";
    return 0;
  }
  print_facts(shown.facts, options, out);
  out << "\nwhat was planned, and came of it\n"
      << render_group_text(
             {{shown.facts.host}, view_of(shown.plan)}, 0,
             {.colour = options.terminal.colour, .width = options.terminal.width, .fit = options.terminal.live});
  print_checks(shown.result, options, out);
  print_events(shown.events, out);
  return 0;
}

}  // namespace holdfast
