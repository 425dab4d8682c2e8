#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("an environment file has its variables sorted, quoted, and for its owner only", "[kinds][env_file]") {
  const LoweredHost host = lower_host(manifest(
      "EnvFile", "app", "{path: /etc/app.env, values: {B: \"a b$c\", A: 4, C: true, D: \"\"}, owner: \"app:app\"}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.content_of("/etc/app.env") == "A=\"4\"\nB=\"a b\\$c\"\nC=\"true\"\nD=\"\"\n");
  CHECK(host.at("file:/etc/app.env").attributes.at("mode") == Value(0600));
  CHECK(host.at("file:/etc/app.env").attributes.at("owner") == Value("app"));
  CHECK(host.at("file:/etc/app.env").parameters == Map{{"sensitive", true}});
}

TEST_CASE("a secret is a placeholder that the host replaces", "[kinds][env_file]") {
  const std::string yaml =
      manifest("EnvFile", "app",
               "{path: /etc/app.env, values: {A: x}, secrets: {KEY: {generate: {bytes: 48, format: base64url}}}}");
  const LoweredHost host = lower_host(yaml);
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const Wanted& file = host.at("file:/etc/app.env");
  const Map& secrets = file.parameters.at("secrets").as_map();
  REQUIRE(secrets.size() == 1);
  const std::string placeholder = secrets.begin()->first;
  CHECK(placeholder.size() == 40);
  CHECK(secrets.begin()->second ==
        Value(Map{{"id", "app/KEY"}, {"generate", Map{{"bytes", 48}, {"format", "base64url"}}}}));
  CHECK(host.content_of("/etc/app.env") == "A=\"x\"\nKEY=\"" + placeholder + "\"\n");
  CHECK_FALSE(file.attributes.contains("size"));
  CHECK(file.parameters.at("sensitive") == Value(true));
}

TEST_CASE("a value that systemd and a shell can't read alike is refused where it stands", "[kinds][env_file]") {
  const LoweredHost host = lower_host(
      manifest("EnvFile", "app", "{path: /etc/app.env, values: {GOOD: x, BAD: \"two\\nlines\", \"9X\": z}}"));
  INFO(host.report());
  REQUIRE(host.problems.size() == 2);
  CHECK(host.problems[0].what == "the value of \"BAD\" holds a line end");
  CHECK(host.problems[0].where == Position{"deploy/host.yaml", 5, 51});
  CHECK(host.problems[1].what == "\"9X\" is no name of a variable");
}

TEST_CASE("a variable is a value or a secret", "[kinds][env_file]") {
  CHECK(lower_host(manifest("EnvFile", "app", "{path: /etc/a, values: {A: x}, secrets: {A: {generate: {}}}}"))
            .report()
            .find("\"A\" is in \"values\" and in \"secrets\"") != std::string::npos);
}

TEST_CASE("an environment file is opened to others only on purpose", "[kinds][env_file]") {
  const auto report = [](const std::string& rest) {
    return lower_host(manifest("EnvFile", "app", "{path: /etc/app.env, " + rest + "}")).report();
  };
  CHECK(report("mode: \"0640\"").find("mode \"0640\" opens an environment file to more than its owner") !=
        std::string::npos);
  CHECK(report("mode: \"0640\", readableBy: group").empty());
  CHECK(report("mode: \"0644\", readableBy: group").find("more than its group") != std::string::npos);
  CHECK(report("mode: \"0644\", readableBy: all").empty());
  CHECK(report("mode: \"0400\"").empty());
}
