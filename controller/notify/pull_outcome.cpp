// What came of a commit, as a comment of the pull request that it came with.
#include <controller/cli/markdown.hpp>
#include <controller/notify/forge.hpp>
#include <controller/notify/pull_outcome.hpp>
#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string outcome_marker(const std::string& environment) {
  return "<!-- holdfast outcome " + printable(environment) + " -->";
}

}  // namespace

std::string pull_requests_of(const Value& to) { return to.text_or("pullRequests", "off"); }

std::string outcome_text(const Notification& note) {
  std::string text = "### holdfast: " + markdown_code(one_line(title_of(note))) + "\n\n";
  if (!note.reason.empty()) text += markdown_fence("text", note.reason) + "\n";
  std::string journal;
  for (const std::string& line : note.journal) journal += one_line(line) + "\n";
  if (!journal.empty()) text += "What the failing units wrote:\n\n" + markdown_fence("text", journal) + "\n";
  return text;
}

SendResult comment_outcome(const std::string& type, const Value& to, const Notification& note,
                           const std::atomic<bool>& stop) {
  const Forge forge(type, to, stop);
  const bool forks = pull_requests_of(to) == "all";
  for (const PullRequest& pull : forge.of_commit(note.revision)) {
    if (pull.from_fork && !forks) continue;
    std::int64_t id = 0;
    forge.comment(pull.number, outcome_marker(note.environment), outcome_text(note), id);
  }
  return {};
}

}  // namespace holdfast
