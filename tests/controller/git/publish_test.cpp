#include <controller/git/publish.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <filesystem>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
namespace fs = std::filesystem;

namespace {

const Author ada{"Ada", "ada@example.org", 1'700'000'000};

/// A remote, whose work tree is that of real people, and a mirror of it.
struct Pair {
  TempFolder folder{};
  GitRepository source{folder / "source"};
  std::string base = source.commit("app/a.txt", "one\n");
  std::unique_ptr<Mirror> mirror = Mirror::open(folder / "state/mirror.git", {.url = source.path()}, child_options());

  Pair() { mirror->fetch(in_seconds(60)); }
  [[nodiscard]] std::string write(const std::string& parent, const std::vector<FileChange>& changes) const {
    return write_commit(*mirror, parent, parent, changes, "Change things\n\nWhy: because", ada);
  }
  [[nodiscard]] Pushed send(const std::vector<RefUpdate>& updates) const {
    return push(*mirror, updates, in_seconds(60));
  }
};

}  // namespace

TEST_CASE("a commit is written from changes to another one's tree, and arrives at a remote that is checked out",
          "[git][push]") {
  const Pair pair;
  pair.source.git({"checkout", "-q", "main"});
  const std::string id = pair.write(pair.base, {{"app/deep/b.sh", "echo\n", true}, {"gone.txt", std::nullopt}});
  CHECK(id == pair.write(pair.base, {{"app/deep/b.sh", "echo\n", true}}));
  const Pushed pushed = pair.send({{id, "refs/heads/holdfast/x"}});
  CHECK(pushed.rejected.empty());
  CHECK(pushed.done.size() == 1);
  CHECK(pair.source.git({"ls-tree", "-r", "--format=%(objectmode) %(path)", "holdfast/x"}) ==
        "100644 app/a.txt\n100755 app/deep/b.sh");
  CHECK(pair.source.git({"log", "-1", "--format=%an <%ae> %ct %P%n%B", "holdfast/x"}) ==
        "Ada <ada@example.org> 1700000000 " + pair.base + "\nChange things\n\nWhy: because");
  CHECK(pair.source.git({"fsck", "--strict"}) == "");
  const std::string emptied = pair.write(id, {{"app/a.txt", std::nullopt}, {"app/deep/b.sh", std::nullopt}});
  CHECK(pair.send({{emptied, "refs/heads/holdfast/x"}}).rejected.empty());
  CHECK(pair.source.git({"ls-tree", "holdfast/x"}) == "");
}

TEST_CASE("a branch without a past has its own tree", "[git][push]") {
  const Pair pair;
  const std::string id = write_commit(*pair.mirror, "", "", {}, "Begin", ada);
  CHECK(pair.send({{id, "refs/heads/holdfast/orphan"}}).rejected.empty());
  CHECK(pair.source.git({"rev-list", "--count", "holdfast/orphan"}) == "1");
  CHECK(pair.source.git({"ls-tree", "holdfast/orphan"}) == "");
}

TEST_CASE("what no tree can hold is refused, and so is a parent that is not there", "[git][push]") {
  const Pair pair;
  for (const char* path : {"../a", "/a", "a//b", ".git/config", "a/../../b", "", "app/a.txt/b"}) {
    INFO(path);
    CHECK_THROWS_AS(pair.write(pair.base, {{path, "x"}}), Error);
  }
  CHECK_THROWS_AS(pair.write(pair.base, {{"a", "x"}, {"a", "y"}}), Error);
  CHECK_THROWS_AS(pair.write(std::string(40, 'a'), {}), Error);
  CHECK_THROWS_AS(write_commit(*pair.mirror, pair.base, pair.base, {}, std::string("a\0b", 3), ada), Error);
  const std::string id = write_commit(*pair.mirror, pair.base, pair.base, {}, "x", {"<\nE\x7fve>", "", 5});
  CHECK(pair.send({{id, "refs/heads/x"}}).rejected.empty());
  CHECK(pair.source.git({"log", "-1", "--format=%an <%ae>", "x"}) == "Eve <holdfast>");
}

TEST_CASE("a push loses nothing: branches go forward only, tags stay, and the rest of the push is done",
          "[git][push]") {
  const Pair pair;
  const std::string ours = pair.write(pair.base, {{"b", "ours"}});
  pair.source.git({"branch", "taken", pair.source.commit("b", "theirs")});
  pair.source.git({"branch", "behind", pair.base});
  pair.source.git({"tag", "v1", pair.base});
  pair.source.git({"checkout", "-q", "-b", "elsewhere", pair.base});
  const std::string theirs = pair.source.git({"rev-parse", "taken"});
  const Pushed pushed = pair.send({{ours, "refs/heads/taken"},
                                   {ours, "refs/tags/v1"},
                                   {ours, "refs/heads/elsewhere"},
                                   {ours, "refs/heads/behind"},
                                   {pair.base, "refs/heads/behind-not"},
                                   {ours, "refs/heads/behind/child"}});
  std::vector<std::string> rejected;
  for (const RejectedUpdate& one : pushed.rejected) rejected.push_back(one.update.name);
  CHECK(rejected == std::vector<std::string>{"refs/heads/taken", "refs/tags/v1", "refs/heads/elsewhere",
                                             "refs/heads/behind/child"});
  CHECK_THAT(pushed.rejected.front().reason, Catch::Contains("the branch is at " + theirs));
  CHECK_THAT(pushed.rejected[1].reason, Catch::Contains("the tag is there already"));
  CHECK_THAT(pushed.rejected[2].reason, Catch::Contains("checked out"));
  CHECK(pair.source.git({"rev-parse", "taken"}) == theirs);
  CHECK(pair.source.git({"rev-parse", "v1"}) == pair.base);
  CHECK(pair.source.git({"rev-parse", "behind"}) == ours);
  CHECK(pair.send({{ours, "refs/heads/behind"}}).done.size() == 1);
  CHECK(pair.send({{pair.base, "refs/heads/behind"}}).rejected.size() == 1);
}

TEST_CASE("a push goes to branches and tags only, and says what can't be reached", "[git][push]") {
  const Pair pair;
  for (const char* name : {"main", "refs/holdfast/x", "HEAD", "refs/heads/a..b", "refs/heads/"}) {
    INFO(name);
    CHECK_THROWS_AS(pair.send({{pair.base, name}}), Error);
  }
  CHECK_THROWS_AS(pair.send({{"abc", "refs/heads/a"}}), Error);
  CHECK_THROWS_AS(pair.send({{std::string(40, 'a'), "refs/heads/a"}}), Error);
  fs::rename(pair.source.path(), pair.folder / "away");
  CHECK_THROWS_WITH(pair.send({{pair.base, "refs/heads/a"}}), Catch::Contains("can't push to \"" + pair.source.path()));
}

TEST_CASE("what was written and not pushed outlives fetches and the joining of packs", "[git][push]") {
  const Pair pair;
  const std::string id = pair.write(pair.base, {{"b", "ours"}});
  keep(*pair.mirror, "refs/own/heads/holdfast/x", id);
  for (int i = 0; i < 45; ++i) {
    pair.source.commit("a", std::to_string(i));
    pair.mirror->fetch(in_seconds(60));
  }
  CHECK(kept(*pair.mirror, "refs/own/heads/holdfast/x") == id);
  CHECK(pair.mirror->commit(id).has_value());
  CHECK(pair.send({{id, "refs/heads/holdfast/x"}}).done.size() == 1);
  forget(*pair.mirror, "refs/own/heads/holdfast/x");
  forget(*pair.mirror, "refs/own/heads/holdfast/x");
  CHECK_FALSE(kept(*pair.mirror, "refs/own/heads/holdfast/x").has_value());
  CHECK_THROWS_AS(keep(*pair.mirror, "refs/holdfast/heads/main", id), Error);
}

TEST_CASE("a mirror made anew says that it lost what was kept", "[git][push]") {
  Pair pair;
  keep(*pair.mirror, "refs/own/heads/x", pair.write(pair.base, {{"b", "ours"}}));
  pair.mirror.reset();
  fs::remove_all(pair.folder / "state/mirror.git");
  pair.mirror = Mirror::open(pair.folder / "state/mirror.git", {.url = pair.source.path()}, child_options());
  CHECK_FALSE(kept(*pair.mirror, "refs/own/heads/x").has_value());
}

TEST_CASE("a signed tag is one that git verifies, and its signed bytes come back", "[git][push]") {
  const Pair pair;
  run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", pair.folder / "key"});
  write_file(pair.folder / "allowed", "ada@example.org " + read_file(pair.folder / "key.pub"));
  std::string signed_bytes;
  std::string signature;
  const Signer signer = [&](const std::string& payload) {
    write_file(pair.folder / "payload", payload);
    run({"ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", pair.folder / "key", pair.folder / "payload"});
    signed_bytes = payload;
    return signature = read_file(pair.folder / "payload.sig");
  };
  const std::string message = "Approve production\n\n-----BEGIN SSH SIGNATURE-----\nnot yet";
  const std::string id = write_tag(*pair.mirror, pair.base, "holdfast/approve/production/1", message, ada, signer);
  CHECK(pair.send({{id, "refs/tags/holdfast/approve/production/1"}}).rejected.empty());
  pair.source.git({"config", "gpg.ssh.allowedSignersFile", pair.folder / "allowed"});
  CHECK_NOTHROW(pair.source.git({"-c", "gpg.format=ssh", "tag", "-v", "holdfast/approve/production/1"}));
  pair.mirror->fetch(in_seconds(60));
  const auto tag = pair.mirror->tag_object("holdfast/approve/production/1");
  REQUIRE(tag.has_value());
  CHECK(tag->id == id);
  CHECK(tag->commit == pair.base);
  CHECK(tag->name == "holdfast/approve/production/1");
  CHECK(tag->tagger == "Ada <ada@example.org>");
  CHECK(tag->time == ada.time_s);
  CHECK(tag->message == message + "\n");
  CHECK(tag->signed_bytes.payload == signed_bytes);
  CHECK(tag->signed_bytes.signature == signature);
}

TEST_CASE("a tag without an object or a signature says so", "[git]") {
  const Pair pair;
  pair.source.git({"tag", "light"});
  pair.source.git({"tag", "-a", "plain", "-m", "no signature"});
  pair.source.git({"tag", "-a", "of-a-tree", "-m", "x", "HEAD^{tree}"});
  pair.mirror->fetch(in_seconds(60));
  CHECK_FALSE(pair.mirror->tag_object("light").has_value());
  CHECK_FALSE(pair.mirror->tag_object("none").has_value());
  CHECK_FALSE(pair.mirror->tag_object("../heads/main").has_value());
  REQUIRE(pair.mirror->tag_object("plain").has_value());
  CHECK(pair.mirror->tag_object("plain")->signed_bytes.signature.empty());
  CHECK(pair.mirror->tag_object("of-a-tree")->commit.empty());
}

TEST_CASE("a commit's signature comes with the bytes that it is of", "[git]") {
  const Pair pair;
  run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", pair.folder / "key"});
  write_file(pair.folder / "allowed", "ada@example.org " + read_file(pair.folder / "key.pub"));
  pair.source.git({"-c", "gpg.format=ssh", "-c", "user.signingkey=" + (pair.folder / "key"), "commit", "-q",
                   "--allow-empty", "-S", "-m", "signed"});
  pair.mirror->fetch(in_seconds(60));
  CHECK_FALSE(pair.mirror->commit_signature(pair.base).has_value());
  CHECK_FALSE(pair.mirror->commit_signature(std::string(40, 'a')).has_value());
  const auto found = pair.mirror->commit_signature(*pair.mirror->branch("main"));
  REQUIRE(found.has_value());
  write_file(pair.folder / "payload", found->payload);
  write_file(pair.folder / "sig", found->signature);
  CHECK_NOTHROW(run({"sh", "-c",
                     "ssh-keygen -Y verify -n git -I ada@example.org -f '" + (pair.folder / "allowed") + "' -s '" +
                         (pair.folder / "sig") + "' < '" + (pair.folder / "payload") + "'"}));
}
