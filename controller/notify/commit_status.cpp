// The commit's status at GitHub, GitLab and Gitea (and Forgejo): context "holdfast/ENVIRONMENT".
#include <controller/notify/post.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <array>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_description = 140;  // GitHub's limit

/// Events as states; what a commit has no state for is not here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> states = {{
    {"deploying", "pending"},
    {"deployed", "success"},
    {"current", "success"},
    {"rolled-back", "failure"},
    {"refused", "failure"},
    {"rollback-failed", "error"},
}};

std::string without_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

Post request_to(const Value& to, const std::string& path, const std::string& header, const std::string& scheme) {
  const std::string token = secret_in(to.at("tokenFile").as_text(), "the token");
  return {.url = without_slash(to.at("api").as_text()) + path,
          .headers = {{header, scheme + token}},
          .ca_file = to.text_or("caFile", ""),
          .secrets = {token}};
}

/// GitHub and Gitea name it alike, GitLab wants it as one segment of the path.
Post request_for(const std::string& type, const Value& to) {
  const std::string& repository = to.at("repository").as_text();
  if (type == "gitlab") {
    std::string segment;
    for (const char c : repository) segment += c == '/' ? std::string("%2F") : std::string(1, c);
    return request_to(to, "/projects/" + segment, "PRIVATE-TOKEN", "");
  }
  if (type == "gitea") return request_to(to, "/repos/" + repository, "Authorization", "token ");
  Post request = request_to(to, "/repos/" + repository, "Authorization", "Bearer ");
  request.headers["Accept"] = "application/vnd.github+json";
  request.headers["X-GitHub-Api-Version"] = "2022-11-28";
  return request;
}

std::string body_of(const std::string& type, const Value& to, const Notification& note) {
  std::string state = commit_state(note);
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
  Post request = request_for(type, to);
  if (note.event == "test") {  // no commit is named: only whether the token may see the repository
    request.method = "GET";
    return post(request, stop).result;
  }
  request.url += "/statuses/" + note.revision;
  request.body = body_of(type, to, note);
  Answer answer = post(request, stop);
  // GitLab has no way from a state to the same one; then it is there already.
  const bool there =
      type == "gitlab" && answer.status == 400 && answer.body.find("Cannot transition status") != std::string::npos;
  return there ? SendResult{} : std::move(answer.result);
}

}  // namespace holdfast
