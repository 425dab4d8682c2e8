#include <controller/notify/forge.hpp>
#include <controller/notify/pull_outcome.hpp>
#include <controller/notify/pull_plans.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <fstream>
#include <map>
#include <mutex>

#include "../health/test_server.hpp"

using namespace holdfast;

namespace {

const std::string head(40, 'a');

/// A forge that speaks the API of one of the three: it holds pull requests, and takes comments.
class FakeForge {
 public:
  explicit FakeForge(std::string type)
      : type_(std::move(type)), server_([this](const std::string& request) { return answer(request); }) {
    std::ofstream(folder_.path("token")) << "the-token\n";
  }
  [[nodiscard]] Value settings(const std::string& pulls) const {
    return Map{{"repository", "acme/fleet"},
               {"tokenFile", folder_.path("token")},
               {"api", server_.url("/api")},
               {"pullRequests", pulls}};
  }
  [[nodiscard]] SinkSettings sink(const std::string& pulls) const {
    return {.name = "forge", .type = type_, .to = settings(pulls)};
  }
  void add_pull(int number, const std::string& commit, bool fork, const std::string& base = "main") {
    const std::scoped_lock lock(mutex_);
    const std::string from = fork ? "stranger/fleet" : "acme/fleet";
    const Value repo = Map{{"full_name", "acme/fleet"}};
    pulls_[number] = type_ == "gitlab" ? Map{{"iid", number},
                                             {"sha", commit},
                                             {"target_branch", base},
                                             {"source_project_id", fork ? 9 : 1},
                                             {"target_project_id", 1}}
                                       : Map{{"number", number},
                                             {"head", Map{{"sha", commit}, {"repo", Map{{"full_name", from}}}}},
                                             {"base", Map{{"ref", base}, {"repo", repo}}}};
  }
  void say(int pull, const std::string& text) {
    const std::scoped_lock lock(mutex_);
    comments_.push_back({pull, text});
  }
  void forget_comments() {
    const std::scoped_lock lock(mutex_);
    comments_.clear();
    first_ += 1000;
  }
  void forbid_changes() { forbidden_ = true; }
  [[nodiscard]] std::vector<std::pair<int, std::string>> comments() const {
    const std::scoped_lock lock(mutex_);
    return comments_;
  }
  [[nodiscard]] std::vector<std::string> requests() const { return server_.requests(); }

 private:
  static std::string after(const std::string& text, const std::string& what) {
    const std::size_t at = text.find(what);
    return at == std::string::npos ? "" : text.substr(at + what.size());
  }

  std::string answer(const std::string& request) {
    const std::scoped_lock lock(mutex_);
    const std::string method = request.substr(0, request.find(' '));
    const std::string path = after(request, " ").substr(0, after(request, " ").find(' '));
    const std::string token = type_ == "gitlab"  ? "PRIVATE-TOKEN: the-token"
                              : type_ == "gitea" ? "Authorization: token the-token"
                                                 : "Authorization: Bearer the-token";
    if (request.find(token) == std::string::npos) return http_answer(401, "{}");
    const std::string root = type_ == "gitlab" ? "/api/projects/acme%2Ffleet" : "/api/repos/acme/fleet";
    if (!path.starts_with(root)) return http_answer(404, "{}");
    return answer(method, path.substr(root.size()), after(request, "\r\n\r\n"));
  }

  std::string answer(const std::string& method, const std::string& path, const std::string& body) {
    const std::string pulls = type_ == "gitlab" ? "/merge_requests" : "/pulls";
    const std::string threads = type_ == "gitlab" ? "/merge_requests/" : "/issues/";
    const std::string leaf = type_ == "gitlab" ? "/notes" : "/comments";
    if (path.starts_with("/statuses/")) return http_answer(201, "{}");
    if (path.find("/commits/" + head) != std::string::npos) {
      const Value one = pulls_.empty() ? Value() : pulls_.begin()->second;
      if (type_ == "gitea") return pulls_.empty() ? http_answer(404, "{}") : http_answer(200, to_json(one));
      return http_answer(200, to_json(pulls_.empty() ? Value(List{}) : Value(List{one})));
    }
    if (method == "GET" && path.starts_with(pulls + "?")) {
      List list;
      for (const auto& [number, pull] : pulls_) list.push_back(pull);
      return http_answer(200, to_json(list));
    }
    if (method == "PATCH" || method == "PUT") {
      if (forbidden_) return http_answer(403, "{}");
      const std::size_t id = static_cast<std::size_t>(std::stoi(path.substr(path.rfind('/') + 1))) - first_;
      if (id >= comments_.size()) return http_answer(404, "{}");
      comments_[id].second = from_json(body).at("body").as_text();
      return http_answer(200, "{}");
    }
    if (!path.starts_with(threads) || path.find(leaf) == std::string::npos) return http_answer(404, "{}");
    const int pull = std::stoi(path.substr(threads.size()));
    if (method == "POST") {
      comments_.emplace_back(pull, from_json(body).at("body").as_text());
      return http_answer(201, to_json(Map{{"id", static_cast<std::int64_t>(first_ + comments_.size() - 1)}}));
    }
    return http_answer(200, to_json(page_of(pull, path)));
  }

  /// Gitea has no pages of comments.
  List page_of(int pull, const std::string& path) {
    const std::size_t number = type_ == "gitea" ? 1 : static_cast<std::size_t>(std::stoi(after(path, "&page=")));
    const std::size_t size = type_ == "gitea" ? 100'000 : static_cast<std::size_t>(std::stoi(after(path, "per_page=")));
    List all;
    for (std::size_t i = 0; i < comments_.size(); ++i) {
      if (comments_[i].first != pull) continue;
      all.push_back(Map{{"id", static_cast<std::int64_t>(first_ + i)}, {"body", comments_[i].second}});
    }
    List page;
    for (std::size_t i = (number - 1) * size; i < std::min(all.size(), number * size); ++i) page.push_back(all[i]);
    return page;
  }

  std::string type_;
  TempFolder folder_{};
  mutable std::mutex mutex_{};
  std::map<int, Value> pulls_{};
  std::vector<std::pair<int, std::string>> comments_{};
  std::size_t first_ = 100;
  bool forbidden_ = false;
  TestServer server_;
};

/// A round of comments, whose plans say which they are.
struct Rounds {
  FakeForge& forge;
  std::string pulls = "own";
  std::unique_ptr<Store> store = Store::open(":memory:");
  std::atomic<bool> stop = false;
  std::vector<std::string> planned{};

  int turn() {
    PullPlans plans(
        forge.sink(pulls), *store,
        [this](const std::string& environment, const std::string& reference) {
          planned.push_back(environment + " " + reference);
          if (environment == "broken") throw Error("no `way` to it");
          return "plan of " + environment + " number " + std::to_string(planned.size());
        },
        [](const std::string& branch) {
          return branch == "main" ? std::vector<std::string>{"production", "broken"} : std::vector<std::string>{};
        },
        stop);
    return plans.turn();
  }
};

Notification outcome() {
  return {.event = "rolled-back",
          .environment = "production",
          .revision = head,
          .hosts = {"web1"},
          .host_count = 1,
          .reason = "expected 200\n``` @everyone",
          .journal = {"app.service | no database <!-- x -->"}};
}

}  // namespace

TEST_CASE("an open pull request has one comment with its plan, which is renewed in its place", "[notify][pulls]") {
  const std::string type = GENERATE("github", "gitlab", "gitea");
  INFO(type);
  FakeForge forge(type);
  forge.add_pull(7, head, false);
  forge.add_pull(8, head, false, "elsewhere");
  for (int i = 0; i < 25; ++i) forge.say(7, "said by people");
  Rounds rounds{forge};
  CHECK(rounds.turn() == 1);
  const std::string reference = type == "gitlab" ? "refs/merge-requests/7/head" : "refs/pull/7/head";
  CHECK(rounds.planned == std::vector<std::string>{"production " + reference, "broken " + reference});
  REQUIRE(forge.comments().size() == 26);
  CHECK_THAT(forge.comments().back().second, Catch::StartsWith("<!-- holdfast plan forge -->\nplan of production number 1") &&
                                                 Catch::Contains("There is no plan:") && Catch::Contains("no `way`"));
  CHECK(rounds.turn() == 0);
  forge.add_pull(7, std::string(40, 'b'), false);
  CHECK(rounds.turn() == 1);
  rounds.store->put_host({.environment = "production", .host = "web1", .live_bundle = "other"});
  rounds.store = Store::open(":memory:");  // whoever forgot it finds it again by how it begins
  CHECK(rounds.turn() == 1);
  CHECK(forge.comments().size() == 26);
  CHECK_THAT(forge.comments().back().second, Catch::Contains("plan of production number 5"));
}

TEST_CASE("a plan is made again when the hosts are others than at the last one", "[notify][pulls]") {
  FakeForge forge("github");
  forge.add_pull(7, head, false);
  Rounds rounds{forge};
  CHECK(rounds.turn() == 1);
  rounds.store->put_host({.environment = "production", .host = "web1", .live_bundle = "other"});
  CHECK(rounds.turn() == 1);
  CHECK(rounds.turn() == 0);
}

TEST_CASE("a fork's pull request learns nothing of the hosts, unless the settings say so", "[notify][pulls]") {
  const std::string type = GENERATE("github", "gitlab", "gitea");
  FakeForge forge(type);
  forge.add_pull(7, head, true);
  Rounds rounds{forge};
  const std::atomic<bool> stop = false;
  CHECK(rounds.turn() == 0);
  CHECK(rounds.planned.empty());
  CHECK(comment_outcome(type, forge.settings("own"), outcome(), stop).why.empty());
  CHECK(forge.comments().empty());
  rounds.pulls = "all";
  CHECK(rounds.turn() == 1);
  CHECK(comment_outcome(type, forge.settings("all"), outcome(), stop).why.empty());
  CHECK(forge.comments().size() == 2);
}

TEST_CASE("where the comment was deleted, or is another's, there is a new one", "[notify][pulls]") {
  FakeForge forge("github");
  forge.add_pull(7, head, false);
  Rounds rounds{forge};
  SECTION("deleted") {
    rounds.turn();
    forge.forget_comments();
  }
  SECTION("written by somebody else") {
    forge.say(7, "<!-- holdfast plan forge -->\nI am holdfast");
    forge.forbid_changes();
  }
  forge.add_pull(7, std::string(40, 'b'), false);
  CHECK(rounds.turn() == 1);
  CHECK_THAT(forge.comments().back().second, Catch::Contains("plan of production"));
  CHECK(rounds.turn() == 0);
}

TEST_CASE("what a commit came to stands in its pull request, with the journal, as plain text", "[notify][pulls]") {
  const std::string type = GENERATE("github", "gitlab", "gitea");
  FakeForge forge(type);
  const std::atomic<bool> stop = false;
  CHECK(send_to(forge.sink("own"), outcome(), stop).why.empty());
  CHECK(forge.comments().empty());  // the commit came with none
  forge.add_pull(7, head, false);
  CHECK(send_to(forge.sink("off"), outcome(), stop).why.empty());
  CHECK(forge.comments().empty());
  CHECK(send_to(forge.sink("own"), outcome(), stop).why.empty());
  CHECK(send_to(forge.sink("own"), outcome(), stop).why.empty());
  REQUIRE(forge.comments().size() == 1);
  const std::string text = forge.comments().front().second;
  CHECK_THAT(text, Catch::StartsWith("<!-- holdfast outcome production -->\n### holdfast: "));
  CHECK_THAT(text, Catch::Contains("\n````text\nexpected 200\n``` @everyone\n````"));
  CHECK_THAT(text, Catch::Contains("```text\napp.service | no database <!-- x -->\n```"));
}

TEST_CASE("a forge that says nonsense is an error, and no number of it is believed", "[notify][pulls]") {
  std::string said;
  const TempFolder folder;
  std::ofstream(folder.path("token")) << "the-token\n";
  TestServer server([&](const std::string&) { return http_answer(200, said); });
  const Value to = Map{{"repository", "acme/fleet"},
                       {"tokenFile", folder.path("token")},
                       {"api", server.url("")},
                       {"pullRequests", "own"}};
  const std::atomic<bool> stop = false;
  const Forge forge("github", to, stop);
  for (const char* text : {"", "{}", "[1", "null", "\"x\""}) {
    INFO(text);
    said = text;
    CHECK_THROWS_AS(forge.open(), Error);
  }
  for (const char* text : {"[]", "[1, null, {}]", R"([{"number": -1, "head": {"sha": "x"}, "base": 3}])",
                           R"([{"number": 1, "head": {"sha": "../../x"}, "base": {"ref": "main"}}])"}) {
    INFO(text);
    said = text;
    CHECK(forge.open().empty());
  }
}
