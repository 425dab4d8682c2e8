#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("a group has a number where one is given", "[kinds][group]") {
  const LoweredHost host =
      lower_host(manifest("Group", "app", "{gid: 990, system: true}") + manifest("Group", "web", "{name: www-data}") +
                 manifest("Group", "old", "{state: absent}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("group:app").attributes == Map{{"present", true}, {"gid", 990}});
  CHECK(host.at("group:app").parameters == Map{{"system", true}});
  CHECK(host.at("group:www-data").attributes == Map{{"present", true}});
  CHECK(host.at("group:old").attributes == Map{{"present", false}});
}

TEST_CASE("a group's name is checked", "[kinds][group]") {
  CHECK(lower_host(manifest("Group", "Big", "{}")).report().find("\"Big\" is no name of a group") != std::string::npos);
}
