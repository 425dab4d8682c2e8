#include <controller/suspend/capture.hpp>

#include <controller/git/written_sources.hpp>
#include <controller/suspend/changed_tree.hpp>
#include <manifests/digest.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const std::string head = "apiVersion: holdfast.dev/v1\n";

/// A commit, and a host on which somebody changed things by hand.
struct Hand {
  std::vector<std::pair<std::string, std::string>> files{};
  Environment environment{.name = "e", .track = {.branch = "main"}, .hosts = {{.name = "a"}}};
  Plan plan{};
  std::map<std::string, std::string> live{};

  explicit Hand(const std::string& manifest) {
    environment.vars = {{"who", "us"}};
    files = {{"app.yaml", manifest}, {"files/motd", "from a source\n"}};
  }

  Lowered lowered(const std::map<std::string, std::string>& changed = {}) const {
    const MemoryTree base(files);
    const ChangedTree tree(base, changed);
    const FleetResult fleet = load_fleet(tree, environment, {});
    for (const Problem& problem : fleet.problems) UNSCOPED_INFO(render(problem));
    REQUIRE(fleet.fleet);
    WrittenSources sources(tree);
    return lower(*fleet.fleet, "a", tree, no_commit(), sources);
  }

  /// The host has this instead of what is wanted.
  void found(const std::string& id, const Attributes& instead) {
    const Lowered now = lowered();
    const auto wanted = std::find_if(now.bundle.wanted.begin(), now.bundle.wanted.end(),
                                     [&](const Wanted& one) { return to_text(one.id) == id; });
    REQUIRE(wanted != now.bundle.wanted.end());
    const bool gone = instead.contains("present");
    plan.actions.push_back({.id = wanted->id,
                            .from = gone ? instead : overlay(wanted->attributes, instead),
                            .to = wanted->attributes,
                            .origin = wanted->origin});
  }
  void wrote(const std::string& path, const std::string& text) {
    live[sha256(text)] = text;
    found("file:" + path, {{"content", sha256(text)}, {"size", text.size()}});
  }
  Captured captured() const {
    const MemoryTree tree(files);
    return capture({.tree = tree, .environment = environment, .host = "a", .plan = plan, .live = live});
  }
};

std::string file(const std::string& spec) { return head + "kind: File\nmetadata: {name: motd}\nspec:\n" + spec; }

}  // namespace

TEST_CASE("an inline text is replaced in its manifest, and the rest stays byte for byte", "[capture]") {
  Hand hand(file("  # the message\n  path: /etc/motd\n  text: |\n    one\n  mode: \"0644\"  # for all\n"));
  hand.wrote("/etc/motd", "two\nlines\n");
  const Captured got = hand.captured();
  REQUIRE(got.left.empty());
  CHECK(got.taken == std::vector<std::string>{"file:/etc/motd"});
  CHECK(got.files.at("app.yaml") ==
        file("  # the message\n  path: /etc/motd\n  text: |\n    two\n    lines\n  mode: \"0644\"  # for all\n"));
}

TEST_CASE("a source gets the new bytes, and its manifest is left alone", "[capture]") {
  Hand hand(file("  path: /etc/motd\n  source: files/motd\n"));
  hand.wrote("/etc/motd", "${not} a variable here\n");
  const Captured got = hand.captured();
  REQUIRE(got.left.empty());
  REQUIRE(got.files.size() == 1);
  CHECK(got.files.at("files/motd") == "${not} a variable here\n");
}

TEST_CASE("what looks like a variable in a new text is escaped", "[capture]") {
  Hand hand(file("  path: /etc/motd\n  text: one\n"));
  hand.wrote("/etc/motd", "PATH=${HOME}\n");
  const Captured got = hand.captured();
  REQUIRE(got.left.empty());
  CHECK(got.files.at("app.yaml") == file("  path: /etc/motd\n  text: \"PATH=$${HOME}\\n\"\n"));
}

TEST_CASE("a text that is made of variables is for a person to change", "[capture]") {
  Hand hand(file("  path: /etc/motd\n  text: \"hello ${who}\\n\"\n"));
  hand.wrote("/etc/motd", "hello them\n");
  const Captured got = hand.captured();
  CHECK(got.files.empty());
  REQUIRE(got.left.size() == 1);
  CHECK(got.left.front().why.find("${who}") != std::string::npos);
}

TEST_CASE("mode and owner become fields, also of a text with variables", "[capture]") {
  Hand hand(file("  path: /etc/motd\n  text: \"hello ${who}\\n\"\n"));
  hand.found("file:/etc/motd", {{"mode", 0600}, {"owner", "bin"}, {"group", "daemon"}});
  const Captured got = hand.captured();
  REQUIRE(got.left.empty());
  CHECK(got.files.at("app.yaml") ==
        file("  mode: \"0600\"\n  owner: \"bin:daemon\"\n  path: /etc/motd\n  text: \"hello ${who}\\n\"\n"));
}

TEST_CASE("a file that was removed by hand is to be absent", "[capture]") {
  Hand hand(file("  path: /etc/motd\n  text: one\n"));
  hand.found("file:/etc/motd", {{"present", false}});
  const Captured got = hand.captured();
  REQUIRE(got.left.empty());
  CHECK(got.files.at("app.yaml") == file("  state: \"absent\"\n  path: /etc/motd\n  text: one\n"));
}

TEST_CASE("a unit's state becomes its fields", "[capture]") {
  Hand hand(head + "kind: SystemdUnit\nmetadata: {name: cron.service}\nspec: {enabled: true, state: running}\n");
  hand.found("unit:cron.service", {{"enabled", "disabled"}, {"active", "stopped"}});
  const Captured got = hand.captured();
  REQUIRE(got.left.empty());
  CHECK(got.files.at("app.yaml") ==
        head + "kind: SystemdUnit\nmetadata: {name: cron.service}\nspec: {enabled: false, state: \"stopped\"}\n");
}

TEST_CASE("a package's version becomes the one that is pinned", "[capture]") {
  Hand hand(head + "kind: Package\nmetadata: {name: cowsay}\nspec: {version: 1.0-1}\n");
  hand.found("package:cowsay", {{"version", "1.0-2"}});
  const Captured got = hand.captured();
  REQUIRE(got.left.empty());
  CHECK(got.files.at("app.yaml").ends_with("spec: {version: \"1.0-2\"}\n"));
}

TEST_CASE("contents that never leave the host are left, with the reason", "[capture]") {
  Hand hand(head + "kind: EnvFile\nmetadata: {name: app}\nspec:\n  path: /etc/app.env\n  values: {A: one}\n" + "---\n" +
            file("  path: /etc/motd\n  text: one\n  sensitive: true\n"));
  hand.found("file:/etc/app.env", {{"content", "hmac:00"}});
  hand.found("file:/etc/motd", {{"content", "hmac:11"}});
  const Captured got = hand.captured();
  CHECK(got.files.empty());
  CHECK(got.taken.empty());
  REQUIRE(got.left.size() == 2);
  CHECK(got.left[0].why.find("app.yaml:") != std::string::npos);
  CHECK(got.left[1].why.find("sensitive") != std::string::npos);
}

TEST_CASE("what the manifests could not say is left, and the rest is taken", "[capture]") {
  Hand hand(file("  path: /etc/motd\n  text: one\n") + "---\n" + head +
            "kind: User\nmetadata: {name: visitor}\nspec: {shell: /bin/sh}\n");
  hand.wrote("/etc/motd", "two\n");
  hand.found("user:visitor", {{"shell", "/bin/false"}});
  hand.plan.actions.push_back({.kind = ActionKind::prune, .id = {PrimitiveType::file, "/etc/old"}});
  const Captured got = hand.captured();
  CHECK(got.taken == std::vector<std::string>{"file:/etc/motd"});
  REQUIRE(got.left.size() == 2);
  CHECK(got.left[0].id == "user:visitor");
  CHECK(got.left[1].why.find("no manifest names it") == 0);
}

TEST_CASE("an owner that no manifest can name is left, and nothing is changed for it", "[capture]") {
  Hand hand(file("  path: /etc/motd\n  text: one\n"));
  hand.found("file:/etc/motd", {{"owner", "4242"}});
  const Captured got = hand.captured();
  CHECK(got.files.empty());
  REQUIRE(got.left.size() == 1);
  CHECK(got.left.front().why.find("4242") != std::string::npos);
}
