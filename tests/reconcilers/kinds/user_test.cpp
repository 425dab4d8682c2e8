#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("an account is managed in what is given of it", "[kinds][user]") {
  const LoweredHost host = lower_host(manifest(
      "User", "cvdapp",
      "{uid: 990, group: app, groups: [www-data, adm], home: /opt/cvd, shell: /usr/sbin/nologin, comment: CVD, "
      "system: true, exclusiveGroups: true}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("user:cvdapp").attributes == Map{{"present", true},
                                                 {"uid", 990},
                                                 {"group", "app"},
                                                 {"groups", List{"adm", "www-data"}},
                                                 {"home", "/opt/cvd"},
                                                 {"shell", "/usr/sbin/nologin"},
                                                 {"comment", "CVD"}});
  CHECK(host.at("user:cvdapp").parameters == Map{{"system", true}, {"create_home", false}, {"exclusive_groups", true}});
}

TEST_CASE("a person's account gets a home, and no groups that were not asked for", "[kinds][user]") {
  const LoweredHost host = lower_host(manifest("User", "ann", "{}") + manifest("User", "bob", "{state: absent}"));
  CHECK(host.at("user:ann").attributes == Map{{"present", true}});
  CHECK(host.at("user:ann").parameters == Map{{"system", false}, {"create_home", true}});
  CHECK(host.at("user:bob").attributes == Map{{"present", false}});
}

TEST_CASE("a managed group of the account's name is its primary one, and comes first", "[kinds][user]") {
  const LoweredHost host = lower_host(manifest("User", "app", "{groups: [web]}") + manifest("Group", "app", "{}") +
                                      manifest("Group", "web", "{}"));
  CHECK(host.at("user:app").attributes.at("group") == Value("app"));
  CHECK(host.after("user:app") == std::vector<std::string>{"group:app", "group:web"});
}

TEST_CASE("a field that would break the account database is refused", "[kinds][user]") {
  const LoweredHost host = lower_host(manifest("User", "ann", "{comment: \"a:b\"}"));
  CHECK(host.report().find("\"spec.comment\" must not hold a colon") != std::string::npos);
  CHECK(lower_host(manifest("User", "root", "{state: absent}")).report().find("can't be removed") != std::string::npos);
}
