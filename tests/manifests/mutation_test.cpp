#include <manifests/fleet.hpp>
#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

#include <random>

using namespace holdfast;
using namespace holdfast::test;

namespace {

const std::string app = R"(# an application
apiVersion: holdfast.dev/v1
kind: EnvFile
metadata: {name: cvd, hosts: {role: web}}
spec:
  path: /opt/cvd/config/.env
  values: {FLASK_ENV: production, WORKERS: "${workers}"}
  secrets: {SESSION_SECRET: {generate: {bytes: 32}}}
---
apiVersion: holdfast.dev/v1
kind: SystemdUnit
metadata: {name: cvd.service, hosts: [web1], after: [EnvFile/cvd]}
spec:
  text: |
    [Service]
    ExecStart=/bin/sh -c 'echo "$HOME" $${x}'
  enabled: true
  state: running
  loads: [EnvFile/cvd]
  health:
    - {http: {url: "http://127.0.0.1:5000/health", status: [200, 204], json: {/status: healthy}, within: 2s}}
---
apiVersion: holdfast.dev/v1
kind: Package
metadata: {name: curl}
spec: {version: "7.88.1-10"}
)";

/// One small damage: a piece removed, doubled, moved, or replaced by what is awkward in YAML.
std::string damaged(std::string text, std::mt19937& random) {
  static const std::vector<std::string> awkward = {"\t",    "\n",
                                                   " ",     ":",
                                                   "- ",    "[",
                                                   "]",     "{",
                                                   "}",     "'",
                                                   "\"",    "#",
                                                   "&a ",   "*a",
                                                   "!x ",   "|",
                                                   ">",     "?",
                                                   "%",     "@",
                                                   "`",     ",",
                                                   "---\n", "...\n",
                                                   "<<: ",  "\xEF\xBB\xBF",
                                                   "\x80",  "\xE2\x80\xAE",
                                                   "${",    "}",
                                                   "$$",    "~",
                                                   "null",  "yes",
                                                   "0644",  "1e999",
                                                   "\\",    "\r\n",
                                                   ": :",   "-9999999999999999999"};
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const std::size_t at = below(text.size());
  const std::size_t length = 1 + below(20);
  switch (below(5)) {
    case 0:
      return text.erase(at, length);
    case 1:
      return text.insert(at, text.substr(below(text.size()), length));
    case 2:
      return text.insert(at, awkward[below(awkward.size())]);
    case 3:
      return text.replace(at, std::min<std::size_t>(1 + below(3), text.size() - at), awkward[below(awkward.size())]);
    default:
      text[at] = static_cast<char>(random() % 256);
      return text;
  }
}

}  // namespace

TEST_CASE("damaged manifests give a fleet or problems with a place, and never crash", "[mutation]") {
  REQUIRE(load_one(app).fleet != nullptr);
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  int accepted = 0;
  constexpr int rounds = 1500;
  for (int round = 0; round < rounds; ++round) {
    std::string text = app;
    std::string environment = production;
    for (unsigned count = 1 + random() % 4; count > 0; --count) {
      std::string& target = random() % 4 == 0 ? environment : text;
      target = damaged(target, random);
    }
    INFO("round " << round << "\n" << text << "\n" << environment);
    const FleetResult result = load({{"deploy/a.yaml", text}}, environment);
    if (result.fleet != nullptr) {
      REQUIRE(result.problems.empty());
      ++accepted;
    }
    for (const Problem& problem : result.problems) {
      REQUIRE_FALSE(problem.where.file.empty());
      REQUIRE_FALSE(problem.what.empty());
      REQUIRE_FALSE(render(problem).empty());
    }
  }
  CHECK(accepted < rounds);
}
