#include <controller/git/mirror.hpp>
#include <controller/git/publish.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <memory>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// git's own smart http behind TLS, with a certificate that only a CA file of ours vouches for.
struct Server {
  TempFolder folder{};
  GitRepository source{folder / "fleet.git"};
  int port = free_port();
  std::unique_ptr<Background> server{};

  explicit Server(const std::string& token, const std::string& redirect = "") {
    source.commit("a.txt", "over https\n");
    run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key", "-out",
         folder / "certificate"});
    server = std::make_unique<Background>(std::vector<std::string>{"python3", HOLDFAST_HTTPS_SERVER,
                                                                   std::to_string(port), folder / "certificate",
                                                                   folder / "key", folder.path(), token, redirect});
    wait_for_port(port);
    write_file(folder / "token", "word\n");
  }
  [[nodiscard]] std::string origin(const std::string& name) const {
    return "https://" + name + ":" + std::to_string(port);
  }
  [[nodiscard]] Remote remote() const {
    return {.url = origin("localhost") + "/fleet.git/.git",
            .token_file = folder / "token",
            .ca_file = folder / "certificate"};
  }
  [[nodiscard]] std::string fetch(const Remote& wanted) const {
    const auto mirror = Mirror::open(folder / "mirror.git", wanted, child_options());
    try {
      mirror->fetch(in_seconds(60));
    } catch (const Error& error) {
      return error.what();
    }
    return mirror->branch("main") == source.git({"rev-parse", "HEAD"}) ? "fetched" : "nothing came";
  }
  [[nodiscard]] std::string seen() const { return read_file(folder / ".seen"); }
};

}  // namespace

TEST_CASE("an https remote is fetched with a token and an authority of its own", "[git][https]") {
  const Server server("word");
  CHECK(server.fetch(server.remote()) == "fetched");
  CHECK_THAT(server.seen(), Catch::StartsWith("x-access-token:word\n"));
  Remote named = server.remote();
  write_file(named.token_file, "deploy:word");
  CHECK(server.fetch(named) == "fetched");
  CHECK_THAT(server.seen(), Catch::Contains("deploy:word\n"));
}

TEST_CASE("an https remote whose certificate nobody vouches for is refused before the token is sent", "[git][https]") {
  const Server server("word");
  Remote remote = server.remote();
  remote.ca_file = "";
  CHECK_THAT(server.fetch(remote), Catch::Contains("is not trusted for this name"));
  remote = server.remote();
  remote.url = server.origin("127.0.0.1") + "/fleet.git/.git";
  CHECK_THAT(server.fetch(remote), Catch::Contains("is not trusted for this name"));
  CHECK(server.seen().empty());
}

TEST_CASE("a token that is missing or wrong is told in words", "[git][https]") {
  const Server server("word");
  Remote remote = server.remote();
  write_file(remote.token_file, "other");
  CHECK_THAT(server.fetch(remote), Catch::Contains("refuses the token of"));
  write_file(remote.token_file, " \n");
  CHECK_THAT(server.fetch(remote), Catch::Contains("is empty or can't be read"));
  remote.token_file = "";
  CHECK_THAT(server.fetch(remote), Catch::Contains("set a token file"));
}

TEST_CASE("a redirect to another host is not followed and gets no token", "[git][https]") {
  const Server other("word");
  const Server server("", other.origin("127.0.0.1"));
  Remote remote = server.remote();
  CHECK_THAT(server.fetch(remote), Catch::Contains("can't fetch"));
  CHECK(other.seen().empty());
}

TEST_CASE("a redirect to another port of the host gets no token", "[git][https]") {
  const Server other("word");
  const Server server("", other.origin("localhost"));
  Remote remote = server.remote();
  write_file(server.folder / "both",
             read_file(server.folder / "certificate") + read_file(other.folder / "certificate"));
  remote.ca_file = server.folder / "both";
  CHECK_THAT(server.fetch(remote), Catch::Contains("can't fetch"));
  CHECK(other.seen().empty());
}

TEST_CASE("a push over https needs the right to write, and uses the token", "[git][https][push]") {
  const Server server("word");
  const auto mirror = Mirror::open(server.folder / "mirror.git", server.remote(), child_options());
  mirror->fetch(in_seconds(60));
  const std::string base = *mirror->branch("main");
  const std::string id = write_commit(*mirror, base, base, {{"b.txt", "new\n"}}, "Say b", {"h", "h@example.org", 1000});
  CHECK_THROWS_WITH(push(*mirror, {{id, "refs/heads/holdfast/a"}}, in_seconds(60)),
                    Catch::Contains("can't push to \"https://"));
  server.source.git({"config", "http.receivepack", "true"});
  CHECK(push(*mirror, {{id, "refs/heads/holdfast/a"}}, in_seconds(60)).rejected.empty());
  CHECK(server.source.git({"show", "holdfast/a:b.txt"}) == "new");
}
