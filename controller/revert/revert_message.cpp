#include <controller/revert/revert_message.hpp>

#include <controller/plan/kept_plan.hpp>
#include <controller/plan/times.hpp>
#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t max_evidence_bytes = 16U << 10U;
constexpr std::size_t max_line_bytes = 400;
constexpr std::size_t most_others = 20;
constexpr std::size_t short_id = 12;

/// Indented, so that no line of it is taken for a trailer or a signature.
std::string line(const std::string& text) {
  std::string shown = printable(text.substr(0, max_line_bytes));
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return "    " + shown + "\n";
}

std::string lines(const std::string& text) {
  std::string all;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) all += line(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

std::string failed_checks(const Deployment& deployment) {
  std::string text;
  for (const CheckResult& check : kept_result(deployment.result).checks) {
    if (!check.passed) text += line(check.name + (check.detail.empty() ? "" : ": " + check.detail));
  }
  return text.empty() ? "" : "Checks that failed:\n\n" + text + "\n";
}

/// The first lines and the last ones matter most: how it began, and how it ended.
std::string cut(const std::string& text) {
  if (text.size() <= max_evidence_bytes) return text;
  const std::size_t head = text.rfind('\n', max_evidence_bytes / 2) + 1;
  const std::size_t tail = text.find('\n', text.size() - max_evidence_bytes / 2) + 1;
  return text.substr(0, head) + "    ...\n" + text.substr(tail);
}

std::string happened(const std::vector<DeploymentEvent>& events) {
  std::string text;
  for (const DeploymentEvent& event : events) {
    const std::string when = utc_text(event.at_ms);
    text += lines((when.size() > 19 ? when.substr(11, 8) : when) + "  " + event.text);
  }
  return text.empty() ? "" : "What happened, with the journal of what failed:\n\n" + cut(text) + "\n";
}

std::string came_with_it(const std::vector<Commit>& others) {
  if (others.empty()) return "";
  std::string text;
  for (std::size_t i = 0; i < std::min(others.size(), most_others); ++i) {
    text += line(others[i].id.substr(0, short_id) + " " + others[i].summary);
  }
  if (others.size() > most_others) text += line("and " + std::to_string(others.size() - most_others) + " more");
  return "These commits came with it and were never verified either; this commit keeps them:\n\n" + text + "\n";
}

}  // namespace

std::string revert_message(const RevertCase& one) {
  const Deployment& d = one.deployment;
  const std::string back = d.from_commit.empty() ? "nothing: no state was verified before" : d.from_commit;
  std::string text = "Revert \"" + one.bad.summary + "\"\n\nThis reverts commit " + one.bad.id + ".\n\n";
  text += "It did not stay healthy on host " + printable(d.host) + " of environment " + printable(d.environment) +
          ", " + (d.outcome == Outcome::rolled_back ? "which was rolled back:" : "whose rollback failed, too:") +
          "\n\n" + lines(d.reason.substr(0, max_evidence_bytes / 4)) + "\n";
  text += failed_checks(d) + happened(one.events) + came_with_it(one.others);
  text += "Environment: " + printable(d.environment) + "\nHost: " + printable(d.host) + "\nReverts: " + one.bad.id +
          "\nRolled-back-to: " + back + "\nOutcome: " + std::string(to_text(d.outcome)) +
          "\nTransaction: " + printable(d.transaction) + "\n";
  return text;
}

}  // namespace holdfast
