#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("a file has the content of its text or its source", "[kinds][file]") {
  const LoweredHost host =
      lower_host(manifest("File", "a", "{path: /etc/a, text: \"hello\\n\"}") +
                     manifest("File", "b", "{path: /etc/b, source: files/b, owner: app, group: web, mode: \"0640\"}") +
                     manifest("File", "c", "{path: /etc/c, state: absent}"),
                 {{"deploy/files/b", std::string("\0\xff bytes", 8)}});
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.content_of("/etc/a") == "hello\n");
  CHECK(host.content_of("/etc/b") == std::string("\0\xff bytes", 8));
  Map attributes = host.at("file:/etc/b").attributes;
  attributes.erase("content");
  CHECK(attributes == Map{{"present", true}, {"size", 8}, {"owner", "app"}, {"group", "web"}, {"mode", 0640}});
  CHECK(host.at("file:/etc/a").attributes.at("mode") == Value(0644));
  CHECK(host.at("file:/etc/c").attributes == Map{{"present", false}});
}

TEST_CASE("exactly one of text and source is needed", "[kinds][file]") {
  CHECK(lower_host(manifest("File", "a", "{path: /etc/a}")).report().find("\"text\" and \"source\", found none") !=
        std::string::npos);
  CHECK(lower_host(manifest("File", "a", "{path: /etc/a, text: x, source: b}"), {{"deploy/b", ""}})
            .report()
            .find("found both") != std::string::npos);
}

TEST_CASE("a missing source is told at its place with the file that was probably meant", "[kinds][file]") {
  const LoweredHost host = lower_host(manifest("File", "a", "{path: /etc/a, source: files/moto}"),
                                      {{"deploy/files/motd", "x"}, {"deploy/files/other", "x"}});
  REQUIRE(host.problems.size() == 1);
  CHECK(host.problems[0].where == Position{"deploy/host.yaml", 5, 30});
  CHECK(host.problems[0].what == "source \"files/moto\" is not in memory");
  CHECK(host.problems[0].hint == "did you mean \"files/motd\"?");
  CHECK(host.problems[0].line_text == "spec: {path: /etc/a, source: files/moto}");
  const LoweredHost moved =
      lower_host(manifest("File", "a", "{path: /etc/a, source: motd}"), {{"deploy/files/motd", "x"}});
  CHECK(moved.problems.at(0).hint == "did you mean \"files/motd\"?");
}

TEST_CASE("a source that is a Git LFS pointer is refused: its content is elsewhere", "[kinds][file]") {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
  const LoweredHost host =
      lower_host(manifest("File", "m", "{path: /etc/motd, source: motd}"), {{"deploy/motd", pointer}});
  INFO(host.report());
  CHECK(host.report().find("source \"motd\" is a Git LFS pointer") != std::string::npos);
  const LoweredHost about =
      lower_host(manifest("File", "m", "{path: /etc/motd, source: motd}"), {{"deploy/motd", "# about\n" + pointer}});
  CHECK(about.problems.empty());
}

TEST_CASE("a source larger than 8 MiB is refused", "[kinds][file]") {
  const std::string large((8U << 20U) + 1, 'x');
  const std::string yaml = manifest("File", "a", "{path: /etc/a, source: files/b}");
  CHECK(lower_host(yaml, {{"deploy/files/b", large}}).report().find("can't be used") != std::string::npos);
  CHECK(lower_host(yaml, {{"deploy/files/b", large.substr(1)}}).problems.empty());
}

TEST_CASE("a validator names the staged copy", "[kinds][file]") {
  const LoweredHost host = lower_host(
      manifest("File", "a", "{path: /etc/sudoers.d/a, text: x, validate: [visudo, -cf, \"{}\"], sensitive: true}"));
  CHECK(host.at("file:/etc/sudoers.d/a").parameters ==
        Map{{"validate", List{"visudo", "-cf", "{}"}}, {"sensitive", true}});
  CHECK(lower_host(manifest("File", "a", "{path: /etc/a, text: x, validate: [visudo, -c]}"))
            .report()
            .find("expected \"{}\" in \"spec.validate\"") != std::string::npos);
}
