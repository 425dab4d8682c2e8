#include <controller/rollout/desired_pool.hpp>

#include <catch2/catch.hpp>
#include <manifests/json.hpp>

using namespace holdfast;

namespace {

Wanted file(const std::string& path, const std::string& text) {
  return {.id = {PrimitiveType::file, path},
          .attributes = {{"content", text}},
          .parameters = {{"validate", true}},
          .after = {{PrimitiveType::directory, "/etc"}},
          .origin = {"File/" + path, {"files.yaml", 3, 1}}};
}

Lowered lowered_for(const std::string& host) {
  Lowered lowered;
  lowered.bundle = {.environment = "test", .host = host, .commit = "c0", .prune = false};
  lowered.bundle.wanted = {file("/etc/a", "equal"), file("/etc/b", "equal"), file("/etc/name", host)};
  lowered.bundle.validators = {{.name = "nginx -t", .argv = {"nginx", "-t"}, .folders = {"/etc/nginx"}}};
  lowered.checks = {{.name = "web", .spec = Map{{"tcp", host}}}};
  lowered.contents = {{"d0", {.size = 5, .bytes = "equal"}}, {host, {.size = host.size(), .bytes = host}}};
  return lowered;
}

}  // namespace

TEST_CASE("hosts are unpacked as they were packed, and equal parts are kept once", "[pool]") {
  DesiredPool filled;
  std::map<std::string, DesiredPool::Packed> packed;
  for (int i = 0; i < 100; ++i) packed["h" + std::to_string(i)] = filled.pack(lowered_for("h" + std::to_string(i)));
  CHECK(filled.size() == 102);

  const DesiredPool pool = std::move(filled);  // what points into it stays valid
  for (const auto& [host, part] : packed) {
    const Lowered expected = lowered_for(host);
    const Lowered found = DesiredPool::unpack(part);
    CHECK(to_json(to_value(found.bundle)) == to_json(to_value(expected.bundle)));
    CHECK(digest_of(found.bundle) == digest_of(expected.bundle));
    REQUIRE(found.checks.size() == 1);
    CHECK(found.checks[0].spec == expected.checks[0].spec);
    REQUIRE(found.contents.size() == 2);
    CHECK(found.contents.at(host).bytes == host);
    CHECK(found.contents.at("d0").bytes == "equal");
  }
}

TEST_CASE("what differs only in where it was written is kept twice", "[pool]") {
  DesiredPool pool;
  Lowered one = lowered_for("a");
  Lowered other = lowered_for("a");
  other.bundle.wanted[0].origin.position.line = 9;
  const auto first = pool.pack(std::move(one));
  const auto second = pool.pack(std::move(other));
  CHECK(pool.size() == 4);
  CHECK(DesiredPool::unpack(first).bundle.wanted[0].origin.position.line == 3);
  CHECK(DesiredPool::unpack(second).bundle.wanted[0].origin.position.line == 9);
}
