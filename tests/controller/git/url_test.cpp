#include <controller/git/mirror.hpp>
#include <controller/git/url.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("the forms of URL that people use are taken apart", "[git]") {
  const ParsedUrl ssh = parse_url("ssh://git@Example.org:2222/srv/fleet.git");
  CHECK(ssh.problem.empty());
  CHECK(ssh.url.transport == Transport::ssh);
  CHECK(ssh.url.user == "git");
  CHECK(ssh.url.host == "example.org");
  CHECK(ssh.url.port == 2222);
  CHECK(ssh.url.path == "/srv/fleet.git");

  const ParsedUrl scp = parse_url("git@example.org:team/fleet.git");
  CHECK(scp.problem.empty());
  CHECK(scp.url.host == "example.org");
  CHECK(scp.url.port == 22);
  CHECK(scp.url.path == "team/fleet.git");

  CHECK(parse_url("https://example.org/fleet.git").url.port == 443);
  CHECK(parse_url("ssh://[::1]:22/fleet.git").url.host == "::1");
  CHECK(parse_url("file:///srv/fleet.git").url.path == "/srv/fleet.git");
  CHECK(parse_url("/srv/fleet.git").url.transport == Transport::file);
  for (const char* url :
       {"http://127.0.0.1:8080/fleet.git", "http://[::1]:8080/fleet.git", "http://localhost/fleet.git"}) {
    CHECK_FALSE(refuse_url(url).has_value());
  }
}

TEST_CASE("a URL that git or a shell could read as something else is refused", "[git]") {
  const std::string bad[] = {"",
                             "-uploadpack=touch",
                             "--upload-pack=x@y:z",
                             "ext::sh",
                             "ext::a@b:c",
                             "git://example.org/fleet.git",
                             "ftp://example.org/fleet.git",
                             "fleet.git",
                             "./fleet.git",
                             "host:fleet.git",
                             "ssh://-oProxyCommand=x/fleet.git",
                             "ssh://git@-host/fleet.git",
                             "-git@host:fleet.git",
                             "git@host:-fleet.git",
                             "git@host:a'b",
                             "git@host:a;b",
                             "git@host:$(b)",
                             "ssh://git:word@host/fleet.git",
                             "ssh://git@host:0/fleet.git",
                             "ssh://git@host:99999/fleet.git",
                             "ssh://git@host:22x/fleet.git",
                             "ssh://git@host",
                             "ssh://git@host/../etc",
                             "ssh://git@[::1/fleet.git",
                             "https://token@example.org/fleet.git",
                             "https://a:b@example.org/fleet.git",
                             "https://example.org/fleet.git?x=y",
                             "https://example.org/%2e%2e/fleet.git",
                             "https:///fleet.git",
                             "http://example.org/fleet.git",
                             "http://127.0.0.1.example.org/fleet.git",
                             "file://host/fleet.git",
                             "file:///srv/../etc",
                             "/srv/./fleet.git",
                             "/srv/fle et.git",
                             "/srv/fleet\n.git",
                             "/srv/fl\xc3\xa9"
                             "et.git",
                             std::string("/srv/a\0b", 8),
                             "/" + std::string(3000, 'a')};
  for (const std::string& url : bad) {
    INFO(url);
    CHECK(refuse_url(url).has_value());
  }
}
