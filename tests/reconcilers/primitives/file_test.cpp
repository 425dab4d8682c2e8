#include "machine.hpp"

#include <manifests/error.hpp>
#include <reconcilers/primitives/file.hpp>
#include <reconcilers/primitives/secrets.hpp>

#include <catch2/catch.hpp>

#include <filesystem>

namespace holdfast {

using Catch::Matchers::Contains;

namespace {

const std::string placeholder(40, 'q');

Wanted secret_file(TestVault& vault, const std::string& before = "KEY=") {
  const std::string text = before + placeholder + "\nAGAIN=" + placeholder + "\n";
  return {.id = {PrimitiveType::file, "/srv/env"},
          .attributes = {{"present", true}, {"content", vault.put(text)}, {"mode", 0600}},
          .parameters = {{"sensitive", true},
                         {"secrets", Map{{placeholder, Map{{"id", "cvd/KEY"}, {"generate", Map{{"bytes", 16}}}}}}}}};
}

}  // namespace

TEST_CASE("a secret is made once, is in the file, and stays") {
  TestMachine machine;
  TestVault vault(machine);
  const Wanted wanted = secret_file(vault);
  CHECK(is_pending(resolve_wanted(*machine.system, vault, wanted).at("content")));
  CHECK_FALSE(machine.system->stat("/var/lib/holdfast/secrets").has_value());  // looking makes nothing
  CHECK(converge(machine, vault, wanted) == 1);

  const std::string secret = read_secret(*machine.system, "cvd/KEY").value();
  CHECK(secret.size() == 32);
  CHECK(machine.read("/srv/env") == "KEY=" + secret + "\nAGAIN=" + secret + "\n");
  CHECK(machine.system->stat(secret_path("cvd/KEY"))->mode == 0600);
  CHECK(machine.system->stat("/var/lib/holdfast/secrets")->mode == 0700);
  CHECK(machine.system->stat("/srv/env")->mode == 0600);
  CHECK(converge(machine, vault, wanted) == 0);
  machine.write("/srv/env", "KEY=changed\n", 0600);
  CHECK(converge(machine, vault, wanted) == 1);
  CHECK_THAT(machine.read("/srv/env"), Contains(secret));
}

TEST_CASE("a rendered file is known to be right without its template") {
  TestMachine machine;
  TestVault vault(machine);
  const Wanted wanted = secret_file(vault);
  converge(machine, vault, wanted);
  std::filesystem::remove_all(machine.real("/var/lib/holdfast/vault"));
  CHECK(converge(machine, vault, wanted) == 0);
  machine.system->remove_file(secret_path("cvd/KEY"));
  CHECK(is_pending(resolve_wanted(*machine.system, vault, wanted).at("content")));
}

TEST_CASE("the undo of a file with secrets brings the old bytes from the vault") {
  TestMachine machine;
  TestVault vault(machine);
  converge(machine, vault, secret_file(vault));
  const std::string old_bytes = machine.read("/srv/env");
  const Wanted wanted = secret_file(vault, "OTHER=");
  const Attributes from = observe_one(*machine.system, wanted);
  const Attributes to = goal_of(*machine.system, vault, wanted, from);
  vault.put(old_bytes);
  execute_all(machine, vault, wanted, steps_of(wanted, from, to));
  CHECK(machine.read("/srv/env").starts_with("OTHER="));
  execute_all(machine, vault, wanted, steps_of(wanted, to, from));
  CHECK(machine.read("/srv/env") == old_bytes);
  INFO("what was put back is known to be right, and is not taken for what the newer template gives");
  const Wanted before = secret_file(vault);
  std::filesystem::remove_all(machine.real("/var/lib/holdfast/vault"));
  CHECK(converge(machine, vault, before) == 0);
  CHECK(converge(machine, vault, secret_file(vault, "OTHER=")) == 1);
  CHECK(machine.read("/srv/env").starts_with("OTHER="));
}

TEST_CASE("a state that was resolved before it is planned still finds its template") {
  TestMachine machine;
  TestVault vault(machine);
  Wanted wanted = secret_file(vault);
  converge(machine, vault, wanted);
  machine.system->remove_file("/srv/env");
  resolve_in_place(*machine.system, vault, wanted);
  CHECK_FALSE(is_pending(wanted.attributes.at("content")));
  execute_all(machine, vault, wanted, steps_of(wanted, {{"present", false}}, wanted.attributes));
  CHECK(observe_one(*machine.system, wanted).at("content") == wanted.attributes.at("content"));
}

TEST_CASE("no digest of a secret file leaves the host") {
  TestMachine machine;
  TestVault vault(machine);
  const Wanted wanted = secret_file(vault);
  converge(machine, vault, wanted);
  const Attributes observed = observe_one(*machine.system, wanted);
  const std::string key = disclosure_key(*machine.system);
  CHECK(key.size() == 32);
  const Attributes shown = disclose(wanted, observed, key);
  CHECK(shown.at("content").as_text() == "hmac:" + hmac_sha256(key, observed.at("content").as_text()));
  CHECK_FALSE(shown.contains("size"));
  const Step step{"file.put", {{"path", "/srv/env"}, {"content", observed.at("content")}}};
  CHECK(disclose(wanted, step, key).arguments.at("content") == shown.at("content"));
  const Wanted plain{.id = {PrimitiveType::file, "/srv/plain"}};
  CHECK(disclose(plain, observed, key) == observed);
}

TEST_CASE("a template without its placeholder is refused") {
  TestMachine machine;
  TestVault vault(machine);
  Wanted wanted = secret_file(vault);
  wanted.attributes["content"] = vault.put("KEY=forgotten\n");
  CHECK_THROWS_WITH(converge(machine, vault, wanted), Contains("placeholder"));
  CHECK_FALSE(machine.system->stat("/srv/env").has_value());
}

TEST_CASE("secrets come in the format that is asked for") {
  TestMachine machine;
  const auto made = [&](const char* format, int bytes) {
    const std::string id = format + std::to_string(bytes);
    const Map secrets{{"P", Map{{"id", id}, {"generate", Map{{"bytes", bytes}, {"format", format}}}}}};
    return render_secrets(*machine.system, "P", secrets);
  };
  CHECK(made("hex", 8).size() == 16);
  CHECK(made("base64", 32).size() == 44);
  CHECK(made("base64", 32).ends_with("="));
  CHECK(made("base64url", 32).size() == 43);
  CHECK(made("alphanumeric", 20).size() == 20);
  CHECK_THROWS_AS(made("rot13", 20), Error);
  CHECK_THROWS_AS(made("hex", 0), Error);
}

TEST_CASE("the id of a secret can't leave the folder of secrets") {
  CHECK(secret_path("cvd/KEY") == "/var/lib/holdfast/secrets/cvd%2fKEY");
  CHECK(secret_path("../../x").find("/..") == std::string::npos);
  CHECK(secret_path(".key") == "/var/lib/holdfast/secrets/%2ekey");
  CHECK(secret_path(std::string(500, 'a')).size() < 255);
  CHECK_THROWS_AS(secret_path(""), Error);
}

TEST_CASE("a drifted mode or owner is put right without writing the content") {
  TestMachine machine;
  TestVault vault(machine);
  machine.write("/srv/f", "same", 0666, runs_as_root() ? 1001 : 0);
  const std::uint64_t inode = machine.system->stat("/srv/f")->inode;
  Wanted wanted{.id = {PrimitiveType::file, "/srv/f"},
                .attributes = {{"present", true}, {"content", sha256("same")}, {"mode", 0640}, {"owner", "root"}}};
  const Attributes from = observe_one(*machine.system, wanted);
  const Steps steps = steps_of(wanted, from, goal_of(*machine.system, vault, wanted, from));
  REQUIRE(steps.list.size() == 1);
  CHECK(steps.list[0].verb == "file.set");
  execute_all(machine, vault, wanted, steps);
  CHECK(machine.system->stat("/srv/f")->inode == inode);
  CHECK(machine.system->stat("/srv/f")->mode == 0640);
  CHECK(machine.system->stat("/srv/f")->uid == 0);
}

TEST_CASE("what stands in the way of a path is told, and never replaced") {
  TestMachine machine;
  TestVault vault(machine);
  machine.folder("/srv/d");
  machine.link("/srv/l", "/etc/passwd");
  const Attributes file{{"present", true}, {"content", vault.put("x")}, {"mode", 0644}};
  const Wanted at_folder{.id = {PrimitiveType::file, "/srv/d"}, .attributes = file};
  CHECK(observe_one(*machine.system, at_folder).at("obstacle") == Value("a directory"));
  const Wanted at_link{.id = {PrimitiveType::file, "/srv/l"}, .attributes = file};
  CHECK(observe_one(*machine.system, at_link).at("obstacle") == Value("a symbolic link"));
  const Wanted folder_at_file{.id = {PrimitiveType::directory, "/etc/passwd"}};
  CHECK(observe_one(*machine.system, folder_at_file).at("obstacle") == Value("a file"));
  CHECK_THROWS_AS(execute_all(machine, vault, at_link, steps_of(at_link, {{"present", false}}, file)), Error);
  CHECK(machine.system->stat("/srv/l")->type == FileType::link);
}

}  // namespace holdfast
