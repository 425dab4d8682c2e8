#include <manifests/error.hpp>
#include <manifests/explain.hpp>
#include <manifests/json.hpp>
#include <manifests/schema.hpp>
#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>

using namespace holdfast;

namespace {

std::string settings(const std::string& spec) {
  return "apiVersion: holdfast.dev/v1\nkind: Controller\nmetadata: {name: main}\nspec: {" + spec + "}\n";
}

CheckedFile controller(const std::string& spec) { return check_file("holdfast.yaml", settings(spec), "Controller"); }

}  // namespace

TEST_CASE("every kind has a schema whose fields are described", "[schema]") {
  CHECK(kinds().size() >= 12);
  for (const std::string& kind : kinds()) {
    INFO(kind);
    REQUIRE(schema_of(kind) != nullptr);
    CHECK_FALSE(explain(kind, "").empty());
    const Value* properties = schema_of(kind)->at("properties").at("spec").find("properties");
    REQUIRE(properties != nullptr);
    for (const auto& [name, property] : properties->as_map()) {
      INFO(name);
      CHECK_FALSE(property.text_or("description", "").empty());
      CHECK(explain(kind, name).find("FIELD     spec." + name) != std::string::npos);
    }
  }
  CHECK(schema_of("Nothing") == nullptr);
  CHECK_FALSE(std::count(fleet_kinds().begin(), fleet_kinds().end(), "Controller"));
}

TEST_CASE("defaults are filled in, in depth", "[schema]") {
  const CheckedFile checked = controller("repository: {url: /srv/fleet.git}");
  INFO(test::rendered(checked.problems));
  REQUIRE(checked.problems.empty());
  CHECK(checked.spec.at("repository").at("branch") == Value("main"));
  CHECK(checked.spec.at("ssh").at("agent") == Value(true));
  CHECK(checked.spec.at("workers") == Value(16));
}

TEST_CASE("a file of settings holds one document of its kind", "[schema]") {
  CHECK(test::tells(check_file("x", settings("repository: {url: /x}") + "---\na: b\n", "Controller").problems, "5:1",
                    "expected one document"));
  CHECK(test::tells(check_file("x", test::manifest("File", "a", "path: /a"), "Controller").problems, "2:7",
                    "\"kind\" must be \"Controller\""));
  CHECK(test::tells(check_file("x", "", "Controller").problems, "1:1", "no manifest"));
}

TEST_CASE("what belongs to a later version is told as such", "[schema]") {
  CHECK(test::tells(controller("repository: {url: /x}, http: {}").problems, "4:31",
                    "not in this version of holdfast"));
}

TEST_CASE("threads may check at the same time", "[schema]") {
  std::vector<std::thread> threads;
  std::vector<std::size_t> problems(4);
  for (std::size_t index = 0; index < problems.size(); ++index) {
    threads.emplace_back([&problems, index] {
      for (int turn = 0; turn < 20; ++turn) {
        problems[index] += controller("repository: {url: /x}, poll: 1m").problems.size();
        problems[index] += controller("repository: {url: /x}, pol: 1m").problems.size();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(problems == std::vector<std::size_t>(4, 20));
}

TEST_CASE("explain tells type, default, values and what is in a field", "[explain]") {
  const std::string file = explain("File", "");
  CHECK(file.find("KIND      File") == 0);
  CHECK(file.find("path*  <text (absolute path)>") != std::string::npos);
  const std::string mode = explain("File", "spec.mode");
  CHECK(mode == explain("File", "mode"));
  CHECK(mode.find("DEFAULT   \"0644\"") != std::string::npos);
  const std::string rewrites = explain("Environment", "track.rewrites");
  CHECK(rewrites.find("VALUES    \"refuse\" and \"allow\"") != std::string::npos);
  CHECK(explain("Environment", "hosts.port").find("RANGE     1 to 65535") != std::string::npos);
  CHECK(explain("Environment", "metadata.after").find("TYPE      list of text (Kind/name)") != std::string::npos);
  CHECK(explain("SystemdUnit", "health.http.url").find("http or https") != std::string::npos);
}

TEST_CASE("explain names the nearest kind or field", "[explain]") {
  CHECK_THROWS_WITH(explain("Fil", ""), "unknown kind \"Fil\": did you mean \"File\"?");
  CHECK_THROWS_WITH(explain("Nothing", ""), Catch::Contains("known kinds: \"BackupPolicy\", \"Command\""));
  CHECK_THROWS_WITH(explain("File", "spec.modee"), "unknown field \"modee\" in File.spec: did you mean \"mode\"?");
  CHECK_THROWS_WITH(explain("File", "mode.x"), Catch::Contains("it has no fields"));
}

TEST_CASE("explain lists every kind", "[explain]") {
  const std::string text = explain_kinds();
  for (const std::string& kind : kinds()) CHECK(text.find(kind + " ") != std::string::npos);
}
