#include <controller/git/release_tags.hpp>
#include <controller/git/version.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

std::string core_of(const std::string& name) {
  const auto version = version_in(name);
  if (!version) return "none";
  std::string text = version->core[0] + "." + version->core[1] + "." + version->core[2];
  for (std::size_t i = 0; i < version->prerelease.size(); ++i) text += (i == 0 ? "-" : ".") + version->prerelease[i];
  return text;
}

}  // namespace

TEST_CASE("a version is what a name ends with, as Semantic Versioning 2.0 writes it", "[version]") {
  CHECK(core_of("1.4.2") == "1.4.2");
  CHECK(core_of("v1.4.2") == "1.4.2");
  CHECK(core_of("app2-v1.4.2") == "1.4.2");
  CHECK(core_of("releases/2026.11.3") == "2026.11.3");
  CHECK(core_of("v1.4.2-rc.1") == "1.4.2-rc.1");
  CHECK(core_of("v1.4.2-rc.1+build.007") == "1.4.2-rc.1");
  CHECK(core_of("v1.4.2-0a") == "1.4.2-0a");
  CHECK(core_of("v1.4.2--") == "1.4.2--");
  for (const char* none : {"", "v", "v1", "v1.4", "1.4.2.3", "v01.4.2", "v1.04.2", "v1.4.2-", "v1.4.2-01", "v1.4.2-rc..1",
                           "v1.4.2+", "v1.4.2_1", "v1.4.2 ", "nightly", "v1.4.x"}) {
    CHECK(core_of(none) == "none");
  }
}

TEST_CASE("versions have the precedence of Semantic Versioning 2.0", "[version]") {
  const std::vector<std::string> ascending = {"0.9.9",           "1.0.0-1",          "1.0.0-2",      "1.0.0-10",
                                              "1.0.0-alpha",     "1.0.0-alpha.1",    "1.0.0-alpha.beta",
                                              "1.0.0-beta",      "1.0.0-beta.2",     "1.0.0-beta.11", "1.0.0-rc.1",
                                              "1.0.0",           "1.0.1",            "1.2.0",        "1.10.0",
                                              "2.0.0",           "10.0.0",           "99999999999999999999.0.0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      INFO(ascending[i] << " and " << ascending[j]);
      CHECK(compare(*version_in(ascending[i]), *version_in(ascending[j])) == (i <=> j));
    }
  }
  CHECK(compare(*version_in("1.0.0+a"), *version_in("v1.0.0+b")) == std::strong_ordering::equal);
}

TEST_CASE("a star in a pattern stands for any text, and for nothing besides", "[version]") {
  CHECK(is_like("v1.4.2", "v*"));
  CHECK(is_like("v", "v*"));
  CHECK(is_like("v1.4.2-rc.1", "v*-rc.*"));
  CHECK(is_like("a-b-a-b", "a*-b"));
  CHECK(is_like("abcabc", "*abc"));
  CHECK(is_like("x", "***"));
  CHECK_FALSE(is_like("1.4.2", "v*"));
  CHECK_FALSE(is_like("ab", "ab*b"));
  CHECK_FALSE(is_like("v1.4.2", "v1.5*"));
  CHECK_FALSE(is_like("v1x4", "v1.*"));
  CHECK_FALSE(is_like("v1.4.2x", "v1.4.2"));
}

TEST_CASE("only a pattern that is about them asks for prereleases", "[version]") {
  for (const char* asks : {"v*-rc*", "v1.4.0-*", "1.*-beta.*", "*-rc.*", "api-v2.0.0-rc.*"}) CHECK(asks_for_prereleases(asks));
  for (const char* silent : {"v*", "*", "api-v*", "app2-v*", "v1.4.*", "api-*-v*", "v1.4.2"}) {
    CHECK_FALSE(asks_for_prereleases(silent));
  }
}
