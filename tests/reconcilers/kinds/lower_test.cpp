#include "lowered_host.hpp"

#include <manifests/json.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

std::string file(const std::string& name, const std::string& path, const std::string& after = "") {
  return manifest("File", name, "{path: " + path + ", text: x}", after);
}

}  // namespace

TEST_CASE("equal manifests give equal bundles, in the order of the manifests", "[kinds][lower]") {
  const std::string yaml = file("b", "/etc/b") + file("a", "/etc/a") + manifest("User", "app", "{}");
  const LoweredHost first = lower_host(yaml);
  const LoweredHost second = lower_host(yaml);
  REQUIRE(first.problems.empty());
  CHECK(to_json(to_value(first.lowered.bundle)) == to_json(to_value(second.lowered.bundle)));
  CHECK(to_text(first.lowered.bundle.wanted.at(0).id) == "file:/etc/b");
  CHECK(first.lowered.bundle.environment == "test");
  CHECK(first.lowered.bundle.host == "web1");
  CHECK(first.lowered.bundle.commit == self_commit);
  CHECK(first.at("file:/etc/b").origin.position.file == "deploy/host.yaml");
}

TEST_CASE("a bundle survives its text", "[kinds][lower]") {
  const LoweredHost host = lower_host(manifest("NginxSite", "a", "{text: \"server { listen 80; }\"}") +
                                      manifest("Release", "cvd", "{path: /opt/cvd/app}"));
  const Bundle& bundle = host.lowered.bundle;
  CHECK(to_json(to_value(bundle_from(from_json(to_json(to_value(bundle)))))) == to_json(to_value(bundle)));
}

TEST_CASE("a path comes after its directory, its owner and its group", "[kinds][lower]") {
  const LoweredHost host =
      lower_host(manifest("File", "f", "{path: /opt/cvd/config/a, text: x, owner: \"app:web\"}") +
                 manifest("Directory", "d", "{path: /opt/cvd}") + manifest("Directory", "e", "{path: /opt}") +
                 manifest("User", "app", "{}") + manifest("Group", "web", "{}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.after("file:/opt/cvd/config/a") ==
        std::vector<std::string>{"group:web", "user:app", "directory:/opt/cvd"});
  CHECK(host.after("directory:/opt/cvd") == std::vector<std::string>{"directory:/opt"});
}

TEST_CASE("a package comes before its folder in /etc and its unit", "[kinds][lower]") {
  const LoweredHost host =
      lower_host(file("f", "/etc/postgresql/15/main/pg_hba.conf") + manifest("Package", "postgresql-15", "{}") +
                 manifest("SystemdUnit", "postgresql.service", "{state: running}"));
  INFO(host.report());
  CHECK(host.is_after("file:/etc/postgresql/15/main/pg_hba.conf", "package:postgresql-15"));
  CHECK(host.is_after("unit:postgresql.service", "package:postgresql-15"));
}

TEST_CASE("metadata.after orders every primitive of both resources", "[kinds][lower]") {
  const LoweredHost host =
      lower_host(file("a", "/etc/a", "Package/tools") + manifest("Package", "tools", "{names: [jq, curl]}"));
  INFO(host.report());
  CHECK(host.after("file:/etc/a") == std::vector<std::string>{"package:curl", "package:jq"});
}

TEST_CASE("two owners of a path, an account or a package are both told", "[kinds][lower]") {
  const LoweredHost host = lower_host(file("a", "/etc/a") + file("b", "/etc/a"));
  REQUIRE(host.problems.size() == 1);
  CHECK(host.problems[0].what == "\"/etc/a\" is managed twice: by \"File/a\" and by \"File/b\"");
  CHECK(host.problems[0].where == Position{"deploy/host.yaml", 10, 14});
  CHECK(host.problems[0].also == std::vector<Position>{{"deploy/host.yaml", 5, 14}});
  CHECK(lower_host(file("a", "/srv/a") + manifest("Directory", "b", "{path: /srv/a}")).problems.size() == 1);
  CHECK(lower_host(manifest("Package", "a", "{name: jq}") + manifest("Package", "jq", "{}")).problems.size() == 1);
  CHECK(lower_host(manifest("User", "a", "{name: x1}") + manifest("User", "x1", "{}")).problems.size() == 1);
}

TEST_CASE("nothing lies below a managed file, link or absent directory", "[kinds][lower]") {
  const LoweredHost host =
      lower_host(file("in-release", "/opt/cvd/app/x/y") + manifest("Release", "cvd", "{path: /opt/cvd/app}"));
  REQUIRE(host.problems.size() == 1);
  CHECK(host.problems[0].what ==
        "\"/opt/cvd/app/x/y\" lies below \"/opt/cvd/app\", which is a link of \"Release/cvd\"");
  CHECK(host.problems[0].where == Position{"deploy/host.yaml", 5, 14});
  CHECK(lower_host(file("a", "/etc/a") + file("b", "/etc/a/b")).report().find("a file of \"File/a\"") !=
        std::string::npos);
  CHECK(lower_host(manifest("Directory", "d", "{path: /srv/d, state: absent}") + file("b", "/srv/d/b"))
            .report()
            .find("an absent directory") != std::string::npos);
  CHECK(lower_host(file("a", "/etc/a") + file("b", "/etc/ab")).problems.empty());
}

TEST_CASE("the kernel's folders and holdfast's own are not managed", "[kinds][lower]") {
  for (const char* path : {"/proc/sys/x", "/sys/x", "/dev/x", "/var/lib/holdfast/x", "/var/lib/holdfast"}) {
    INFO(path);
    CHECK(lower_host(file("a", path)).report().find("can't be managed") != std::string::npos);
  }
  CHECK(lower_host(file("a", "/var/lib/holdfast-other")).problems.empty());
  CHECK_FALSE(lower_host(manifest("Directory", "a", "{path: /}")).problems.empty());
}

TEST_CASE("a cycle that only the primitives show is told with its path", "[kinds][lower]") {
  const LoweredHost host = lower_host(manifest("Directory", "d", "{path: /srv/d}", "File/f") + file("f", "/srv/d/f"));
  REQUIRE(host.problems.size() == 1);
  CHECK(host.problems[0].what ==
        "cycle: \"directory:/srv/d\" (Directory/d) needs \"file:/srv/d/f\" (File/f) needs \"directory:/srv/d\"");
  CHECK(host.problems[0].also.size() == 1);
}

TEST_CASE("a host without resources is an empty bundle", "[kinds][lower]") {
  Fleet fleet;
  fleet.environment.name = "test";
  fleet.environment.prune = false;
  HeldReleases sources;
  const Lowered lowered = lower(fleet, "nowhere", MemoryTree({}), self_commit, sources);
  CHECK(lowered.problems.empty());
  CHECK(lowered.bundle.wanted.empty());
  CHECK_FALSE(lowered.bundle.prune);
}

TEST_CASE("all problems of a host are told at once", "[kinds][lower]") {
  const LoweredHost host = lower_host(file("a", "/proc/a") + manifest("File", "b", "{path: /etc/b, source: none}") +
                                      manifest("User", "c", "{comment: \"a:b\"}"));
  CHECK(host.problems.size() == 3);
}
