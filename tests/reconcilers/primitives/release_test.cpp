#include "machine.hpp"

#include <manifests/error.hpp>
#include <reconcilers/primitives/releases.hpp>
#include <reconcilers/primitives/tree_put.hpp>
#include <reconcilers/primitives/tree_record.hpp>
#include <reconcilers/tree_digest.hpp>

#include <catch2/catch.hpp>

#include <filesystem>

namespace holdfast {

using Catch::Matchers::Contains;

namespace {

using Files = std::map<std::string, std::string>;

struct Shop {
  Shop() : vault(machine) { machine.folder("/srv/releases"); }

  Wanted release(const std::string& commit, const Files& files) {
    List entries;
    for (const auto& [path, bytes] : files) {
      entries.emplace_back(Map{{"path", path}, {"mode", 0644}, {"content", sha256(bytes)}, {"size", 1}});
    }
    return {.id = {PrimitiveType::tree, "/srv/releases/" + commit},
            .attributes = {{"present", true}, {"digest", tree_digest(entries)}},
            .parameters = {{"entries", entries}}};
  }

  void stock(const Files& files) {
    for (const auto& [path, bytes] : files) vault.put(bytes);
  }
  void empty_vault() { std::filesystem::remove_all(machine.real("/var/lib/holdfast/vault")); }
  std::vector<std::string> needed(const Wanted& wanted) {
    return needed_contents(*machine.system, vault, wanted, observe_one(*machine.system, wanted));
  }
  [[nodiscard]] bool there(const std::string& path) const { return machine.system->stat(path).has_value(); }

  TestMachine machine;
  TestVault vault;
};

Wanted with_build(Wanted wanted, const List& steps) {
  wanted.attributes["built"] = sha256(wanted.id.name);
  wanted.parameters["build"] = Map{{"steps", steps}, {"timeout_ms", 60'000}};
  return wanted;
}

Value shell(const char* text) { return Value::texts({"sh", "-c", text}); }

}  // namespace

TEST_CASE("a release takes what an earlier one has, and asks only for the rest") {
  Shop shop;
  const Files first = {{"a", "same"}, {"d/b", "old"}};
  shop.stock(first);
  CHECK(converge(shop.machine, shop.vault, shop.release("c1", first)) == 1);
  shop.empty_vault();
  const Wanted second = shop.release("c2", {{"a", "same"}, {"d/b", "new"}});
  CHECK(shop.needed(second) == std::vector<std::string>{sha256("new")});
  shop.vault.put("new");
  CHECK(shop.needed(second).empty());
  CHECK(converge(shop.machine, shop.vault, second) == 1);
  CHECK(shop.machine.read("/srv/releases/c2/a") == "same");
  CHECK(shop.machine.read("/srv/releases/c2/d/b") == "new");
  CHECK(shop.machine.system->stat("/srv/releases/c2/a")->inode ==
        shop.machine.system->stat("/srv/releases/c1/a")->inode);
  CHECK(converge(shop.machine, shop.vault, second) == 0);
  CHECK(shop.needed(second).empty());
}

TEST_CASE("a damaged file of an earlier release is not taken") {
  Shop shop;
  shop.stock({{"a", "same"}});
  converge(shop.machine, shop.vault, shop.release("c1", {{"a", "same"}}));
  shop.empty_vault();
  shop.machine.write("/srv/releases/c1/a", "damaged");
  const Wanted second = shop.release("c2", {{"a", "same"}});
  CHECK(shop.needed(second) == std::vector<std::string>{sha256("same")});
  CHECK_THROWS_WITH(converge(shop.machine, shop.vault, second), Contains("not on the host"));
  CHECK(observe_one(*shop.machine.system, second).at("digest") != second.attributes.at("digest"));
}

TEST_CASE("a release with a build shares no file with another") {
  Shop shop;
  shop.stock({{"a", "same"}});
  converge(shop.machine, shop.vault, shop.release("c1", {{"a", "same"}}));
  shop.empty_vault();
  const Wanted second = with_build(shop.release("c2", {{"a", "same"}}), {shell("true")});
  converge(shop.machine, shop.vault, second);
  CHECK(shop.machine.read("/srv/releases/c2/a") == "same");
  CHECK(shop.machine.system->stat("/srv/releases/c2/a")->inode !=
        shop.machine.system->stat("/srv/releases/c1/a")->inode);
}

TEST_CASE("a build runs in the final folder as its user, and its output is kept") {
  Shop shop;
  shop.stock({{"a", "x"}});
  Wanted wanted =
      with_build(shop.release("c1", {{"a", "x"}}), {shell("pwd; id -u; echo $WHERE > made"), shell("cat made a >&2")});
  wanted.parameters["build"].as_map()["environment"] = Map{{"WHERE", "here"}};
  if (runs_as_root()) wanted.attributes["owner"] = "alice";
  CHECK(converge(shop.machine, shop.vault, wanted) == 1);
  CHECK(shop.machine.read("/srv/releases/c1/made") == "here\n");
  const std::string log = shop.machine.read(build_log_path("/srv/releases/c1"));
  CHECK_THAT(log, Contains(shop.machine.real("/srv/releases/c1\n")) && Contains("$ sh -c cat made a >&2\nhere\nx"));
  if (runs_as_root()) {
    CHECK_THAT(log, Contains("\n1001\n"));
    CHECK(shop.machine.system->stat("/srv/releases/c1/made")->uid == 1001);
  }
  CHECK(converge(shop.machine, shop.vault, wanted) == 0);
}

TEST_CASE("a failed build says what it said, is seen as not built, and is done again from new") {
  Shop shop;
  shop.stock({{"a", "x"}});
  const Wanted bad = with_build(shop.release("c1", {{"a", "x"}}), {shell("touch half; echo no such module; exit 7")});
  CHECK_THROWS_WITH(converge(shop.machine, shop.vault, bad),
                    Contains("build step 1 of 1") && Contains("exit 7") && Contains("no such module"));
  const Attributes observed = observe_one(*shop.machine.system, bad);
  CHECK(observed.at("built") == Value(""));
  const Wanted good = with_build(shop.release("c1", {{"a", "x"}}), {shell("touch whole")});
  CHECK(converge(shop.machine, shop.vault, good) == 1);
  CHECK(shop.there("/srv/releases/c1/whole"));
  execute_all(shop.machine, shop.vault, good,
              steps_of(good, observe_one(*shop.machine.system, good), {{"present", false}}));
  CHECK_FALSE(shop.there("/srv/releases/c1"));
}

TEST_CASE("a build that takes too long ends") {
  Shop shop;
  shop.stock({{"a", "x"}});
  Wanted wanted = with_build(shop.release("c1", {{"a", "x"}}), {shell("sleep 600")});
  wanted.parameters["build"].as_map()["timeout_ms"] = 200;
  CHECK_THROWS_WITH(converge(shop.machine, shop.vault, wanted), Contains("not done after"));
}

TEST_CASE("what a build changes in its source is no drift, what others change is") {
  Shop shop;
  shop.stock({{"lock", "from git"}, {"gone", "g"}, {"code", "c"}});
  const Wanted wanted = with_build(shop.release("c1", {{"lock", "from git"}, {"gone", "g"}, {"code", "c"}}),
                                   {shell("echo built >> lock; rm -f gone; echo run >> /dev/stderr")});
  CHECK(converge(shop.machine, shop.vault, wanted) == 1);
  CHECK(converge(shop.machine, shop.vault, wanted) == 0);
  shop.machine.write("/srv/releases/c1/code", "edited");
  CHECK(converge(shop.machine, shop.vault, wanted) == 1);
  CHECK(shop.machine.read("/srv/releases/c1/code") == "c");
  CHECK(shop.machine.read("/srv/releases/c1/lock") == "from gitbuilt\n");  // not built again for that
  shop.machine.write("/srv/releases/c1/lock", "edited");
  CHECK(converge(shop.machine, shop.vault, wanted) == 1);
  CHECK(shop.machine.read("/srv/releases/c1/lock") == "from gitbuilt\n");  // put back and built again
}

TEST_CASE("a removed release comes back as it was until the removal is confirmed") {
  Shop shop;
  shop.stock({{"a", "x"}});
  const Wanted wanted = with_build(shop.release("c1", {{"a", "x"}}), {shell("date +%N > stamp")});
  converge(shop.machine, shop.vault, wanted);
  const std::string stamp = shop.machine.read("/srv/releases/c1/stamp");
  const Wanted pruned{.id = wanted.id, .attributes = {{"present", false}}};
  const Attributes from = observe_one(*shop.machine.system, pruned);
  execute_all(shop.machine, shop.vault, pruned, steps_of(pruned, from, pruned.attributes));
  CHECK_FALSE(shop.there("/srv/releases/c1"));
  execute_all(shop.machine, shop.vault, pruned, steps_of(pruned, pruned.attributes, from));
  CHECK(shop.machine.read("/srv/releases/c1/stamp") == stamp);
  CHECK(converge(shop.machine, shop.vault, wanted) == 0);
}

TEST_CASE("old releases go, but the linked one, the newest and those in use stay, and nothing foreign is touched") {
  Shop shop;
  shop.machine.folder("/srv/releases/by-hand");
  const Files files = {{"a", "same"}};
  shop.stock(files);
  for (const char* commit : {"c1", "c2", "c3", "c4", "c5"})
    converge(shop.machine, shop.vault, shop.release(commit, files));
  shop.machine.link("/srv/app", "releases/c1");
  const auto gone = prune_releases(
      *shop.machine.system, {.folder = "/srv/releases", .link = "/srv/app", .keep = 2, .in_use = {"/srv/releases/c2"}});
  CHECK(gone == std::vector<std::string>{"/srv/releases/c3"});
  CHECK(shop.machine.system->list("/srv/releases") == std::vector<std::string>{"by-hand", "c1", "c2", "c4", "c5"});
  const Wanted kept = shop.release("c5", files);
  CHECK(converge(shop.machine, shop.vault, kept) == 0);
  const TreeRecord record = read_tree_record(*shop.machine.system, "/srv/releases/c5").value();
  CHECK(record.entries.at(0).stamp == stamp_of(*shop.machine.system->stat("/srv/releases/c5/a")));
}

TEST_CASE("a stashed release is purged with the next pruning") {
  Shop shop;
  shop.stock({{"a", "x"}});
  const Wanted wanted = shop.release("c1", {{"a", "x"}});
  converge(shop.machine, shop.vault, wanted);
  execute_all(shop.machine, shop.vault, wanted, steps_of(wanted, wanted.attributes, {{"present", false}}));
  prune_releases(*shop.machine.system, {.folder = "/srv/releases", .link = "", .in_use = {"/srv/releases/c1"}});
  CHECK(shop.there(stash_of("/srv/releases/c1")));
  prune_releases(*shop.machine.system, {.folder = "/srv/releases", .link = ""});
  CHECK_FALSE(shop.there(stash_of("/srv/releases/c1")));
  CHECK_FALSE(read_tree_record(*shop.machine.system, "/srv/releases/c1").has_value());
}

TEST_CASE("one source entry of another owner is drift") {
  if (!runs_as_root()) return;
  Shop shop;
  shop.stock({{"a", "x"}, {"b", "y"}});
  Wanted wanted = shop.release("c1", {{"a", "x"}, {"b", "y"}});
  wanted.attributes["owner"] = "alice";
  converge(shop.machine, shop.vault, wanted);
  shop.machine.system->set_owner("/srv/releases/c1/b", 1002, std::nullopt);
  CHECK(observe_one(*shop.machine.system, wanted).at("owner") == Value("bob"));
  CHECK(converge(shop.machine, shop.vault, wanted) == 1);
  CHECK(shop.machine.system->stat("/srv/releases/c1/b")->uid == 1001);
  CHECK(converge(shop.machine, shop.vault, wanted) == 0);
}

TEST_CASE("entries that would leave the release are refused") {
  for (const char* path : {"/etc/passwd", "../x", "a/../../x", "a//b", "", "a/", "./a"}) {
    CHECK_THROWS_AS(release_entries(List{Map{{"path", path}, {"content", sha256("x")}}}), Error);
  }
  CHECK_THROWS_WITH(release_entries(List{Map{{"path", "a"}, {"target", "/etc"}},
                                         Map{{"path", "a/passwd"}, {"content", sha256("x")}}}),
                    Contains("lies below"));
}

}  // namespace holdfast
