#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("a directory has an owner, a group and a mode", "[kinds][directory]") {
  const LoweredHost host = lower_host(manifest("Directory", "a", "{path: /srv/a}") +
                                      manifest("Directory", "b", "{path: /srv/b, owner: \"app:web\", mode: \"2770\"}") +
                                      manifest("Directory", "c", "{path: /srv/c, state: absent}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("directory:/srv/a").attributes ==
        Map{{"present", true}, {"owner", "root"}, {"group", "root"}, {"mode", 0755}});
  CHECK(host.at("directory:/srv/b").attributes ==
        Map{{"present", true}, {"owner", "app"}, {"group", "web"}, {"mode", 02770}});
  CHECK(host.at("directory:/srv/c").attributes == Map{{"present", false}});
}

TEST_CASE("recursive ownership leaves alone what is managed below under another owner", "[kinds][directory]") {
  const LoweredHost host =
      lower_host(manifest("Directory", "a", "{path: /srv/a, owner: \"app:app\", recursive: true}") +
                 manifest("Directory", "b", "{path: /srv/a/same, owner: \"app:app\"}") +
                 manifest("File", "c", "{path: /srv/a/key, text: x, owner: root}") +
                 manifest("File", "d", "{path: /srv/a/own, text: x, owner: \"app:app\"}") +
                 manifest("File", "e", "{path: /srv/abc, text: x}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("directory:/srv/a").attributes.at("foreign") == Value(0));
  CHECK(host.at("directory:/srv/a").parameters == Map{{"recursive", true}, {"except", List{"/srv/a/key"}}});
}

TEST_CASE("owner and group must not contradict each other", "[kinds][directory]") {
  CHECK(lower_host(manifest("Directory", "a", "{path: /srv/a, owner: \"app:web\", group: adm}"))
            .report()
            .find("\"spec.group\" is \"adm\", but \"spec.owner\" says \"app:web\"") != std::string::npos);
  CHECK(lower_host(manifest("Directory", "a", "{path: /srv/a, owner: \"app:\"}"))
            .report()
            .find("must be an account or \"account:group\"") != std::string::npos);
}
