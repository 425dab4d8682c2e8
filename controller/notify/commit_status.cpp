// The commit's status at GitHub, GitLab and Gitea (and Forgejo): context "holdfast/ENVIRONMENT".
#include <controller/notify/forge.hpp>
#include <controller/notify/pull_outcome.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <array>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_description = 140;  // GitHub's limit

/// Events as states; what a commit has no state for is not here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> states = {{
    {"waiting", "pending"},
    {"deploying", "pending"},
    {"deployed", "success"},
    {"current", "success"},
    {"overtaken", "failure"},
    {"rolled-back", "failure"},
    {"refused", "failure"},
    {"rollback-failed", "error"},
}};

std::string body_of(const std::string& type, const Value& to, const Notification& note) {
  std::string state = commit_state(note);
  if (type == "gitlab" && note.event == "overtaken") state = "canceled";
  if (type == "gitlab" && state == "pending") state = "running";
  if (type == "gitlab" && (state == "failure" || state == "error")) state = "failed";
  Map body{{"state", state},
           {type == "gitlab" ? "name" : "context", "holdfast/" + note.environment},
           {"description", cut_text(title_of(note), most_description)}};
  const std::string target = to.text_or("targetUrl", "");
  if (!target.empty()) body["target_url"] = target;
  return to_json(Value(std::move(body)));
}

}  // namespace

std::string commit_state(const Notification& note) {
  if (note.revision.empty() || note.environment.empty()) return "";
  for (const auto& [event, state] : states) {
    if (event == note.event) return std::string(state);
  }
  return "";
}

SendResult send_commit_status(const std::string& type, const Value& to, const Notification& note,
                              const std::atomic<bool>& stop) {
  Post request = forge_request(type, to);
  if (note.event == "test") {  // no commit is named: only whether the token may see the repository
    request.method = "GET";
    return post(request, stop).result;
  }
  request.url += "/statuses/" + note.revision;
  request.body = body_of(type, to, note);
  PostAnswer answer = post(request, stop);
  // GitLab has no way from a state to the same one; then it is there already.
  const bool there =
      type == "gitlab" && answer.status == 400 && answer.body.find("Cannot transition status") != std::string::npos;
  if (there) answer.result = {};
  const bool ended = note.event != "deploying" && note.event != "current";
  if (answer.result.state != SendResult::State::delivered || !ended || pull_requests_of(to) == "off") {
    return std::move(answer.result);
  }
  return comment_outcome(type, to, note, stop);
}

}  // namespace holdfast
