#include "../git/git_fixture.hpp"

#include <controller/audit/record.hpp>
#include <controller/audit/verify.hpp>
#include <controller/git/publish.hpp>
#include <manifests/digest.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// A commit of the branch before it is written, so that a test can falsify it.
struct Draft {
  std::vector<FileChange> changes{};
  std::string message{};
  std::int64_t time_s = 0;
};

AuditRecord record(std::int64_t number, const std::string& previous) {
  AuditEntry e{.kind = "deployment",
               .environment = "production",
               .revision = sha256(std::to_string(number)).substr(0, 40),
               .hosts = {"web" + std::to_string(number % 3)},
               .outcome = "deployed",
               .duration_ms = 1200,
               .by = "holdfast run",
               .subject = "Change " + std::to_string(number),
               .at_ms = 1'795'269'787'000 + number * 60'000,
               .record = Map{{"summary", "1 to change"}}};
  e.id = sha256("entry " + std::to_string(number)).substr(0, 32);
  return {number, previous, tidy(e)};
}

Draft draft_of(const AuditRecord& one) {
  return {{{.path = record_path(one), .content = record_text(one)}}, record_message(one), one.entry.at_ms / 1000};
}

std::vector<Draft> chain(int count) {
  std::vector<Draft> drafts;
  std::string previous;
  for (int i = 1; i <= count; ++i) {
    drafts.push_back(draft_of(record(i, previous)));
    previous = sha256(*drafts.back().changes[0].content);
  }
  return drafts;
}

/// Writes drafts into a repository and verifies what came out.
struct Scene {
  TempFolder folder;
  GitRepository remote{folder / "remote"};
  std::unique_ptr<Mirror> mirror = Mirror::open(folder / "mirror", {.url = remote.path()}, child_options());

  std::string write(const std::vector<Draft>& drafts) const {
    std::string tip;
    for (const Draft& one : drafts) {
      tip = write_commit(*mirror, tip, tip, one.changes, one.message,
                         {.name = "holdfast", .mail = "h@example.com", .time_s = one.time_s});
    }
    return tip;
  }
  [[nodiscard]] TrailVerdict verify(const std::vector<Draft>& drafts) const {
    return verify_trail(*BranchLog::open(folder / "mirror"), write(drafts));
  }
  /// The problems as texts: "3: what".
  [[nodiscard]] std::vector<std::string> problems(const std::vector<Draft>& drafts) const {
    std::vector<std::string> texts;
    for (const TrailProblem& one : verify(drafts).problems)
      texts.push_back(std::to_string(one.number) + ": " + one.what);
    return texts;
  }
};

bool names(const std::vector<std::string>& problems, const std::string& begin) {
  return std::ranges::any_of(problems, [&](const std::string& one) { return one.starts_with(begin); });
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a chain as it was written holds", "[audit][verify]") {
  const Scene scene;
  const auto drafts = chain(12);
  const TrailVerdict verdict = scene.verify(drafts);
  CHECK(verdict.problems.empty());
  CHECK(verdict.entries == 12);
  CHECK(verdict.number == 12);
  CHECK(verdict.digest == sha256(*drafts.back().changes[0].content));
}

TEST_CASE("a changed record breaks the chain at the entry behind it", "[audit][verify]") {
  const Scene scene;
  for (const auto& [what, by] :
       std::vector<std::pair<std::string, std::string>>{{"\"outcome\": \"deployed\"", "\"outcome\": \"refused\""},
                                                        {"holdfast run", "mallory"},
                                                        {"\"duration_ms\": 1200", "\"duration_ms\": 1201"},
                                                        {"1 to change", "2 to change"},
                                                        {"\"number\": 4,", "\"number\": 4, "}}) {
    auto drafts = chain(6);
    drafts[3].changes[0].content = replaced(*drafts[3].changes[0].content, what, by);
    INFO(what);
    CHECK(names(scene.problems(drafts), "5: names another record before it than entry 4 has"));
  }
}

TEST_CASE("every entry whose record, message, place or time was changed is named", "[audit][verify]") {
  const Scene scene;
  auto drafts = chain(6);
  drafts[5].message = replaced(drafts[5].message, "deployed", "refused");
  CHECK(names(scene.problems(drafts), "6: its commit's message does not say"));
  drafts = chain(6);
  drafts[5].changes[0].content = replaced(*drafts[5].changes[0].content, "\"holdfast run\"", "\"mallory\"");
  CHECK(names(scene.problems(drafts), "6: its commit's message does not say"));
  drafts = chain(6);
  drafts[5].changes[0].content = replaced(*drafts[5].changes[0].content, "  \"number\"", "\"number\"");
  CHECK(names(scene.problems(drafts), "6: its record is not written as holdfast writes it"));
  drafts = chain(6);
  drafts[2].changes[0].path = "staging" + drafts[2].changes[0].path.substr(10);
  CHECK(names(scene.problems(drafts), "3: its record lies at"));
  drafts = chain(6);
  drafts[2].time_s += 1;
  CHECK(scene.problems(drafts) == std::vector<std::string>{"3: its commit has another time than its record"});
}

TEST_CASE("entries that were taken out are named by their numbers", "[audit][verify]") {
  const Scene scene;
  auto drafts = chain(6);
  drafts.erase(drafts.begin() + 2);
  CHECK(scene.problems(drafts) == std::vector<std::string>{"4: entry 3 is missing before it"});
  drafts = chain(6);
  drafts.erase(drafts.begin() + 1, drafts.begin() + 4);
  CHECK(scene.problems(drafts) == std::vector<std::string>{"5: entries 2 to 4 are missing before it"});
  drafts = chain(6);
  drafts.erase(drafts.begin());
  CHECK(scene.problems(drafts) == std::vector<std::string>{"2: entry 1 is missing before it"});
}

TEST_CASE("entries in another order, and one that is there twice, are named", "[audit][verify]") {
  const Scene scene;
  auto drafts = chain(6);
  std::swap(drafts[2], drafts[3]);
  CHECK(names(scene.problems(drafts), "3: stands behind entry 4"));
  drafts = chain(6);
  AuditRecord twice = record(3, sha256(*drafts[5].changes[0].content));
  twice.number = 7;
  twice.entry.at_ms += 1;
  drafts.push_back(draft_of(twice));
  CHECK(scene.problems(drafts) == std::vector<std::string>{"7: has the id of entry 3: it is there twice"});
}

TEST_CASE("a record that a later commit changes or removes is named", "[audit][verify]") {
  const Scene scene;
  auto drafts = chain(4);
  Draft later{.message = "Tidy up\n", .time_s = 5};
  later.changes = {{.path = drafts[1].changes[0].path, .content = "{}"}};
  drafts.push_back(later);
  CHECK(names(scene.problems(drafts), "2: its record was changed by commit"));
  drafts.back().changes[0].content.reset();
  CHECK(names(scene.problems(drafts), "2: its record was removed by commit"));
  drafts = chain(4);
  drafts[3].changes.push_back({.path = drafts[0].changes[0].path, .content = "{}"});  // hidden in a good entry
  CHECK(names(scene.problems(drafts), "1: its record was changed by commit"));
  drafts = chain(4);
  drafts[3].changes.push_back({.path = "production/x", .content = "x"});
  CHECK(names(scene.problems(drafts), "0: adds"));
}

TEST_CASE("commits that are no entries are named, and the chain goes on behind them", "[audit][verify]") {
  const Scene scene;
  for (const FileChange& file :
       std::vector<FileChange>{{.path = "README", .content = "hello"},
                               {.path = "production/x.json", .content = "{\"kind\": \"audit\"}"},
                               {.path = "x", .content = std::string(5U << 20U, 'x')}}) {
    auto drafts = chain(4);
    drafts.insert(drafts.begin() + 2, {.changes = {file}, .message = "Say hello\n", .time_s = 5});
    const auto problems = scene.problems(drafts);
    CHECK(problems.size() == 1);
    CHECK(names(problems, "0: is no entry: \"" + file.path + "\""));
  }
  auto drafts = chain(4);
  drafts.push_back({.message = "Nothing\n", .time_s = 5});
  CHECK(scene.problems(drafts) == std::vector<std::string>{"0: is no entry: it adds no record (\"Nothing\")"});
  drafts = chain(4);
  drafts[3].changes[0].executable = true;
  CHECK(names(scene.problems(drafts), "0: adds"));
}

TEST_CASE("a merge into the branch is named", "[audit][verify]") {
  const Scene scene;
  const std::string tip = scene.write(chain(3));
  const GitRepository work{scene.folder / "work"};
  work.git({"fetch", "-q", scene.folder / "mirror", tip});
  work.git({"checkout", "-q", "-b", "side", tip + "~1"});
  (void)work.commit("side", "x");
  work.git({"checkout", "-q", "-b", "audit", tip});
  work.git({"merge", "-q", "--no-ff", "-m", "Merge side", "side"});
  const auto log = BranchLog::open(work.path());
  const TrailVerdict verdict = verify_trail(*log, *log->commit_at("refs/heads/audit"));
  REQUIRE_FALSE(verdict.problems.empty());
  CHECK(verdict.problems[0].what.starts_with("is a merge"));
  CHECK(verdict.entries == 3);
}
