#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("a package is the one that the resource is called, or the ones that it lists", "[kinds][package]") {
  const LoweredHost host = lower_host(
      manifest("Package", "nginx", "{}") + manifest("Package", "shell", "{name: zsh, version: \"5.9-4+b2\"}") +
      manifest("Package", "tools", "{names: [curl, jq]}") + manifest("Package", "apache2", "{state: absent}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("package:nginx").attributes == Map{{"present", true}});
  CHECK(host.at("package:zsh").attributes == Map{{"present", true}, {"version", "5.9-4+b2"}});
  CHECK(host.has("package:curl"));
  CHECK(host.at("package:jq").origin.resource == "Package/tools");
  CHECK(host.at("package:apache2").attributes == Map{{"present", false}});
}

TEST_CASE("a version belongs to one package that is present", "[kinds][package]") {
  for (const char* spec : {"{names: [curl, jq], version: \"1\"}", "{state: absent, version: \"1\"}"}) {
    const LoweredHost host = lower_host(manifest("Package", "tools", spec));
    CHECK(host.report().find("deploy/host.yaml:5:") != std::string::npos);
    CHECK(host.report().find("\"version\" goes with one package") != std::string::npos);
  }
  CHECK(lower_host(manifest("Package", "a", "{name: curl, names: [jq]}")).report().find("found both") !=
        std::string::npos);
}

TEST_CASE("a package's own name must be one that Debian has", "[kinds][package]") {
  CHECK(lower_host(manifest("Package", "My_Tools", "{}")).report().find("no name of a Debian package") !=
        std::string::npos);
}
