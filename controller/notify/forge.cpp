#include <controller/notify/forge.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

// Small pages: descriptions may be 64 KiB each, and an answer is read up to 1 MiB.
constexpr int pulls_a_page = 10;
constexpr int most_pull_pages = 5;
constexpr int comments_a_page = 10;
constexpr int most_comment_pages = 30;
constexpr std::size_t most_base = 250;
constexpr std::size_t most_of_commit = 3;
constexpr int not_found = 404;

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

/// A member that may be null or missing.
const Value* part(const Value* of, const char* name) {
  if (of == nullptr || !of->is_map()) return nullptr;
  const Value* found = of->find(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text_of(const Value* value) { return value != nullptr && value->is_text() ? value->as_text() : ""; }
std::int64_t number_of(const Value* value) {
  return value != nullptr && value->type() == Value::Type::integer ? value->as_int() : 0;
}

}  // namespace

/// GitHub and Gitea name it alike, GitLab wants it as one segment of the path.
Post forge_request(const std::string& type, const Value& to) {
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

Forge::Forge(std::string type, const Value& to, const std::atomic<bool>& stop)
    : type_(std::move(type)), base_(forge_request(type_, to)), stop_(stop) {}

PostAnswer Forge::ask(const std::string& method, const std::string& path, const std::string& body) const {
  Post request = base_;
  request.method = method;
  request.url += path;
  request.body = body;
  return post(request, stop_);
}

Value Forge::read(const std::string& path) const {
  const PostAnswer answer = ask("GET", path, "");
  if (answer.result.state != SendResult::State::delivered) {
    throw Error(path.substr(0, path.find('?')) + ": " + answer.result.why);
  }
  return from_json(answer.body, {.bytes = 1U << 20U, .depth = 32});
}

std::string Forge::page(const std::string& path, int number, int size) const {
  const std::string glue = path.find('?') == std::string::npos ? "?" : "&";
  return path + glue + (type_ == "gitea" ? "limit=" : "per_page=") + std::to_string(size) +
         "&page=" + std::to_string(number);
}

PullRequest Forge::pull_from(const Value& one) const {
  PullRequest pull;
  if (is_gitlab()) {
    pull.number = number_of(part(&one, "iid"));
    pull.head = text_of(part(&one, "sha"));
    pull.base = text_of(part(&one, "target_branch"));
    const std::int64_t source = number_of(part(&one, "source_project_id"));
    pull.from_fork = source == 0 || source != number_of(part(&one, "target_project_id"));
  } else {
    const Value* head = part(&one, "head");
    const Value* base = part(&one, "base");
    pull.number = number_of(part(&one, "number"));
    pull.head = text_of(part(head, "sha"));
    pull.base = text_of(part(base, "ref"));
    const std::string source = text_of(part(part(head, "repo"), "full_name"));
    pull.from_fork = source.empty() || source != text_of(part(part(base, "repo"), "full_name"));
  }
  pull.reference = (is_gitlab() ? "refs/merge-requests/" : "refs/pull/") + std::to_string(pull.number) + "/head";
  return pull;
}

std::vector<PullRequest> Forge::open() const {
  const std::string path = is_gitlab()        ? "/merge_requests?state=opened&order_by=updated_at"
                           : type_ == "gitea" ? "/pulls?state=open&sort=recentupdate"
                                              : "/pulls?state=open&sort=updated&direction=desc";
  std::vector<PullRequest> pulls;
  for (int number = 1; number <= most_pull_pages; ++number) {
    const Value list = read(page(path, number, pulls_a_page));
    for (const Value& one : list.as_list()) {
      PullRequest pull = pull_from(one);
      const bool good =
          pull.number > 0 && is_object_id(pull.head) && !pull.base.empty() && pull.base.size() <= most_base;
      if (good) pulls.push_back(std::move(pull));
    }
    if (list.as_list().size() < static_cast<std::size_t>(pulls_a_page)) break;
  }
  return pulls;
}

std::vector<PullRequest> Forge::of_commit(const std::string& commit) const {
  if (!is_object_id(commit)) throw Error("\"" + printable(commit) + "\" is no commit");
  const std::string path = is_gitlab()        ? "/repository/commits/" + commit + "/merge_requests"
                           : type_ == "gitea" ? "/commits/" + commit + "/pull"
                                              : "/commits/" + commit + "/pulls";
  const PostAnswer answer = ask("GET", path, "");
  if (answer.status == not_found || answer.result.state == SendResult::State::never) return {};
  if (answer.result.state != SendResult::State::delivered) throw Error(path + ": " + answer.result.why);
  const Value found = from_json(answer.body, {.bytes = 1U << 20U, .depth = 32});
  std::vector<PullRequest> pulls;
  if (found.is_map()) pulls.push_back(pull_from(found));  // Gitea names one
  if (found.is_list()) {
    for (const Value& one : found.as_list()) pulls.push_back(pull_from(one));
  }
  std::erase_if(pulls, [](const PullRequest& pull) { return pull.number <= 0; });
  if (pulls.size() > most_of_commit) pulls.resize(most_of_commit);
  return pulls;
}

std::string Forge::comments_of(std::int64_t pull) const {
  return (is_gitlab() ? "/merge_requests/" + std::to_string(pull) + "/notes"
                      : "/issues/" + std::to_string(pull) + "/comments");
}

std::string Forge::one_comment(std::int64_t pull, std::int64_t id) const {
  return (is_gitlab() ? comments_of(pull) + "/" : "/issues/comments/") + std::to_string(id);
}

std::int64_t Forge::find(std::int64_t pull, const std::string& marker) const {
  std::int64_t before = 0;
  for (int number = 1; number <= most_comment_pages; ++number) {
    const Value list = read(page(comments_of(pull), number, comments_a_page));
    for (const Value& one : list.as_list()) {
      if (text_of(part(&one, "body")).starts_with(marker)) return number_of(part(&one, "id"));
    }
    // Gitea tells all of them at once, whatever page is asked for.
    const std::int64_t first = list.as_list().empty() ? 0 : number_of(part(&list.as_list().front(), "id"));
    if (list.as_list().size() < static_cast<std::size_t>(comments_a_page) || first == before) break;
    before = first;
  }
  return 0;
}

void Forge::comment(std::int64_t pull, const std::string& marker, const std::string& text, std::int64_t& id) const {
  const std::string body = to_json(Map{{"body", marker + "\n" + text}});
  if (id == 0) id = find(pull, marker);
  if (id != 0) {
    const PostAnswer answer = ask(is_gitlab() ? "PUT" : "PATCH", one_comment(pull, id), body);
    if (answer.result.state == SendResult::State::delivered) return;
    // Somebody deleted it, or somebody else wrote one that begins like ours: then there is a new one.
    if (answer.status != not_found && answer.status != 403) throw Error("changing a comment: " + answer.result.why);
  }
  const PostAnswer answer = ask("POST", comments_of(pull), body);
  if (answer.result.state != SendResult::State::delivered) throw Error("commenting: " + answer.result.why);
  const Value made = from_json(answer.body, {.bytes = 1U << 20U, .depth = 32});
  id = number_of(part(&made, "id"));
}

}  // namespace holdfast
