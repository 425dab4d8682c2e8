#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const std::string release_folder = "/opt/cvd/releases/" + self_commit;

}  // namespace

TEST_CASE("a release is a folder of its commit and a link to it", "[kinds][release]") {
  HeldReleases sources;
  sources.add("self", "app.py", "print()\n");
  sources.add("self", "bin/run", "#!/bin/sh\n").type = EntryType::executable;
  SourceEntry& link = sources.add("self", "current", "");
  link.type = EntryType::symlink;
  link.target = "bin/../app.py";
  const LoweredHost host =
      lower_host(manifest("Release", "cvd", "{path: /opt/cvd/app, owner: \"cvdapp:www-data\"}"), {}, sources);
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("link:/opt/cvd/app").attributes ==
        Map{{"present", true}, {"target", release_folder.substr(std::string("/opt/cvd/").size())}});
  CHECK(host.at("directory:/opt/cvd/releases").attributes.at("mode") == Value(0755));
  const Wanted& tree = host.at("tree:" + release_folder);
  CHECK(tree.attributes.at("owner") == Value("cvdapp"));
  CHECK(tree.attributes.at("group") == Value("www-data"));
  CHECK_FALSE(tree.attributes.contains("built"));
  CHECK(tree.parameters.at("keep") == Value(5));
  CHECK(tree.parameters.at("link") == Value("/opt/cvd/app"));
  CHECK(tree.parameters.at("revision_file") == Value(Map{{"name", "REVISION"}, {"text", self_commit + "\n"}}));
  const List& entries = tree.parameters.at("entries").as_list();
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].at("mode") == Value(0644));
  CHECK(entries[0].at("size") == Value(8));
  CHECK(entries[1].at("mode") == Value(0755));
  CHECK(entries[2] == Value(Map{{"path", "current"}, {"target", "bin/../app.py"}}));
  const Content& content = host.lowered.contents.at(entries[0].at("content").as_text());
  CHECK(content.repository == "self");
  CHECK_FALSE(content.object.empty());
  CHECK(content.bytes.empty());
  CHECK(host.is_after("tree:" + release_folder, "directory:/opt/cvd/releases"));
  CHECK(host.is_after("link:/opt/cvd/app", "tree:" + release_folder));
}

TEST_CASE("the digest of a release tells every change of its entries", "[kinds][release]") {
  const auto digest = [](const std::string& content, EntryType type, const std::string& path) {
    HeldReleases sources;
    sources.add("self", path, content).type = type;
    const LoweredHost host = lower_host(manifest("Release", "cvd", "{path: /opt/cvd/app}"), {}, sources);
    return host.at("tree:" + release_folder).attributes.at("digest").as_text();
  };
  const std::string first = digest("a", EntryType::file, "x");
  CHECK(first == digest("a", EntryType::file, "x"));
  CHECK(first != digest("b", EntryType::file, "x"));
  CHECK(first != digest("a", EntryType::executable, "x"));
  CHECK(first != digest("a", EntryType::file, "y"));
}

TEST_CASE("build steps run as the owner, and their deadline is no reason to build again", "[kinds][release]") {
  const auto tree = [](const std::string& build) {
    return lower_host(manifest("Release", "cvd", "{path: /opt/cvd/app, owner: app, build: " + build + "}"))
        .at("tree:" + release_folder);
  };
  const Wanted plain = tree("[[python3, -m, venv, venv], [make]]");
  CHECK(plain.parameters.at("build") == Value(Map{{"steps", List{List{"python3", "-m", "venv", "venv"}, List{"make"}}},
                                                  {"environment", Map{}},
                                                  {"user", "app"},
                                                  {"timeout_ms", 600'000}}));
  const Wanted longer = tree("{steps: [[python3, -m, venv, venv], [make]], timeout: 30m}");
  CHECK(longer.parameters.at("build").at("timeout_ms") == Value(1'800'000));
  CHECK(longer.attributes.at("built") == plain.attributes.at("built"));
  const Wanted other = tree("{steps: [[make]], environment: {WORKERS: 4, MODE: fast}, user: builder}");
  CHECK(other.parameters.at("build").at("environment") == Value(Map{{"WORKERS", "4"}, {"MODE", "fast"}}));
  CHECK(other.parameters.at("build").at("user") == Value("builder"));
  CHECK(other.attributes.at("built") != plain.attributes.at("built"));
}

TEST_CASE("a release comes from another repository at a tag, a branch or a commit", "[kinds][release]") {
  HeldReleases sources;
  sources.add("https://git.example.com/cvd.git v1.4.2", "app/main.py", "x");
  sources.add("https://git.example.com/cvd.git v1.4.2", "docs/readme", "y");
  const LoweredHost host =
      lower_host(manifest("Release", "cvd",
                          "{source: \"https://git.example.com/cvd.git\", revision: {tag: v1.4.2}, folder: app, "
                          "path: /opt/cvd/app, releases: /srv/releases, keep: 3, revisionFile: .revision}"),
                 {}, sources);
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const std::string commit = sources.trees.begin()->second.commit;
  const Wanted& tree = host.at("tree:/srv/releases/" + commit);
  CHECK(tree.parameters.at("entries").as_list().size() == 1);
  CHECK(tree.parameters.at("keep") == Value(3));
  CHECK(tree.parameters.at("revision_file").at("name") == Value(".revision"));
  CHECK(host.lowered.contents.begin()->second.repository == "https://git.example.com/cvd.git");
}

TEST_CASE("a source and its revision must fit each other", "[kinds][release]") {
  const auto report = [](const std::string& rest) {
    return lower_host(manifest("Release", "cvd", "{path: /opt/cvd/app, " + rest + "}")).report();
  };
  CHECK(report("revision: {tag: v1}").find("takes no \"revision\"") != std::string::npos);
  CHECK(report("source: \"https://x/y.git\"").find("exactly one of \"tag\", \"branch\" and \"commit\"") !=
        std::string::npos);
  CHECK(report("source: \"ext::sh -c id\", revision: {tag: v1}").find("is no URL of a git repository") !=
        std::string::npos);
  CHECK(report("source: \"--upload-pack=x\", revision: {tag: v1}").find("is no URL") != std::string::npos);
  CHECK(report("source: \"https://x/y.git\", revision: {tag: v1}").find("found no such revision") != std::string::npos);
  const std::string shortened(40, 'Z');
  CHECK(report("source: \"https://x/y.git\", revision: {commit: " + shortened + "}").find("no full commit id") !=
        std::string::npos);
  CHECK(report("folder: nowhere").find("expected a folder \"nowhere\"") != std::string::npos);
}

TEST_CASE("nothing in a release may lead out of it", "[kinds][release]") {
  for (const char* target : {"/etc/passwd", "../outside", "a/../../outside", "", "b/../../../etc"}) {
    HeldReleases sources;
    SourceEntry& link = sources.add("self", "a/link", "");
    link.type = EntryType::symlink;
    link.target = target;
    const bool stays = std::string(target) == "../outside" || std::string(target) == "a/../../outside";
    const LoweredHost host = lower_host(manifest("Release", "cvd", "{path: /opt/cvd/app}"), {}, sources);
    INFO(target << ": " << host.report());
    CHECK(host.problems.empty() == stays);
  }
}

TEST_CASE("a submodule and a file in the revision's place are refused", "[kinds][release]") {
  const auto report = [](HeldReleases& sources) {
    return lower_host(manifest("Release", "cvd", "{path: /opt/cvd/app}"), {}, sources).report();
  };
  HeldReleases submodule;
  submodule.add("self", "vendor/lib", "").type = EntryType::submodule;
  CHECK(report(submodule).find("a submodule at \"vendor/lib\"") != std::string::npos);
  HeldReleases revision;
  revision.add("self", "REVISION", "mine");
  CHECK(report(revision).find("the release has a \"REVISION\" already") != std::string::npos);
}

TEST_CASE("two releases can't share the folder of their releases", "[kinds][release]") {
  const LoweredHost host =
      lower_host(manifest("Release", "a", "{path: /opt/cvd/a}") + manifest("Release", "b", "{path: /opt/cvd/b}"));
  CHECK(host.report().find("give each Release a folder of its own as \"spec.releases\"") != std::string::npos);
}
