#include <controller/git/base64.hpp>
#include <controller/git/known_hosts.hpp>
#include <controller/git/ssh_identity.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// A fresh key pair; the text of its public half without the comment.
std::string make_key(const std::string& path, const std::string& type, const std::string& passphrase = "") {
  run({"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "", "-f", path});
  std::string text = read_file(path + ".pub");
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("base64 gives back what went in", "[git]") {
  for (const std::string& bytes : {std::string(), std::string("a"), std::string("ab"), std::string("abc"),
                                   std::string("\xff\x00\x80\x7f\xfe", 5)}) {
    CHECK(from_base64(to_base64(bytes)) == bytes);
  }
  CHECK(to_base64("ab") == "YWI=");
  CHECK_FALSE(from_base64("YWI").has_value());
  CHECK_FALSE(from_base64("YW*=").has_value());
  CHECK_FALSE(from_base64("=WI=").has_value());
}

TEST_CASE("known_hosts lines count for the hosts that they name", "[git]") {
  const TempFolder folder;
  const std::string key = make_key(folder / "key", "ed25519");
  const std::string other = make_key(folder / "other", "ed25519");
  const auto accepted = [&](const std::string& line, const std::string& host, int port) {
    const KnownKeys keys = known_keys(line + " " + key + " comment\n", host, port);
    return keys.accepted.size() == 1 && keys.accepted.front() == host_key_from(key);
  };
  CHECK(accepted("git.example.org", "git.example.org", 22));
  CHECK_FALSE(accepted("git.example.org", "git.example.org", 2222));
  CHECK(accepted("[git.example.org]:2222", "git.example.org", 2222));
  CHECK_FALSE(accepted("[git.example.org]:2222", "git.example.org", 22));
  CHECK(accepted("a,GIT.example.org,b", "git.example.org", 22));
  CHECK(accepted("*.example.org", "git.example.org", 22));
  CHECK_FALSE(accepted("*.example.org,!git.example.org", "git.example.org", 22));
  CHECK_FALSE(accepted("!git.example.org,*.example.org", "git.example.org", 22));
  CHECK(accepted("gi?.*.org", "git.example.org", 22));
  CHECK_FALSE(accepted("it.example.org", "git.example.org", 22));
  CHECK_FALSE(accepted("# git.example.org", "git.example.org", 22));
  CHECK_FALSE(accepted("@cert-authority git.example.org", "git.example.org", 22));
  CHECK_FALSE(accepted("@revoked git.example.org", "git.example.org", 22));
  CHECK(known_keys("@revoked * " + other, "git.example.org", 22).revoked.size() == 1);
  CHECK(known_keys("git.example.org ssh-rsa " + key.substr(12), "git.example.org", 22).accepted.empty());
  CHECK(known_keys("git.example.org\nx\n\n|1|a|b c\n", "git.example.org", 22).accepted.empty());
}

TEST_CASE("hashed names of a known_hosts file are found", "[git]") {
  const TempFolder folder;
  const std::string key = make_key(folder / "key", "ed25519");
  write_file(folder / "known_hosts", "git.example.org " + key + "\n[git.example.org]:2222 " + key + "\n");
  run({"ssh-keygen", "-q", "-H", "-f", folder / "known_hosts"});
  const std::string text = read_file(folder / "known_hosts");
  REQUIRE(text.find("git.example.org") == std::string::npos);
  CHECK(known_keys(text, "git.example.org", 22).accepted.size() == 1);
  CHECK(known_keys(text, "git.example.org", 2222).accepted.size() == 1);
  CHECK(known_keys(text, "git.example.org", 23).accepted.empty());
  CHECK(known_keys(text, "example.org", 22).accepted.empty());
}

TEST_CASE("a fingerprint is the one that ssh-keygen tells", "[git]") {
  const TempFolder folder;
  const std::string key = make_key(folder / "key", "ed25519");
  const std::string told = run({"ssh-keygen", "-l", "-f", folder / "key.pub"});
  CHECK(told.find(fingerprint(host_key_from(key))) != std::string::npos);
  CHECK(to_text(host_key_from(key + " comment")) == key);
  CHECK_THROWS_AS(host_key_from("ssh-ed25519"), Error);
  CHECK_THROWS_AS(host_key_from("ssh-rsa " + key.substr(12)), Error);
}

TEST_CASE("a key that libgit2 can't sign with is refused before a connection", "[git]") {
  const TempFolder folder;
  make_key(folder / "good", "ed25519");
  make_key(folder / "ecdsa", "ecdsa");
  make_key(folder / "rsa", "rsa");
  make_key(folder / "locked", "ed25519", "a word");
  run({"ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", folder / "pem"});
  CHECK(refuse_identity(folder / "good").empty());
  CHECK(refuse_identity(folder / "ecdsa").empty());
  CHECK(refuse_identity(folder / "rsa").find("RSA key; use an ed25519 key") != std::string::npos);
  CHECK(refuse_identity(folder / "pem").find("RSA key; use an ed25519 key") != std::string::npos);
  CHECK(refuse_identity(folder / "locked").find("has a passphrase") != std::string::npos);
  CHECK(refuse_identity(folder / "good.pub").find("no OpenSSH private key") != std::string::npos);
  CHECK(refuse_identity(folder / "none").find("can't be read") != std::string::npos);
}
