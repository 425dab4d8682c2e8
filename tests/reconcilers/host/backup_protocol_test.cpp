#include "runner.hpp"

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/backup/policy.hpp>

#include "temporary.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace holdfast;

namespace {

BackupPolicy policy_of_files(std::int64_t free_bytes = 0) {
  BackupPolicy policy{.name = "app", .destination = "/var/backups/holdfast"};
  policy.sources = {{.engine = BackupEngine::files, .paths = {"/srv/data"}}};
  policy.before_deploy = true;
  policy.free_bytes = free_bytes;
  return policy;
}

/// A host with data, a policy over it, and a file among the data that changes.
Host with_data(const std::string& root, const BackupPolicy& policy, const std::string& text) {
  Host host(root);
  host.directory("/etc").directory("/etc/holdfast").directory("/etc/holdfast/backups", 0700);
  host.file(backup_policy_path("app"), to_json(to_value(policy)), 0600, {{"backup", to_value(policy)}});
  host.directory("/srv").directory("/srv/data").file("/srv/data/settings", text).file("/etc/motd", "hello");
  return host;
}

std::vector<std::string> backups_in(const std::string& root) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/var/backups/holdfast/app", error)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

std::string told(const Runner& runner) {
  std::string text;
  for (const Value& event : runner.events) {
    if (event.text_or("kind", "") == "backup") text += event.text_or("text", "") + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("data is saved before a change touches it, and only then", "[runner][backup]") {
  const TemporaryFolder folder;
  Runner runner(folder.path());
  with_data(folder.path(), policy_of_files(), "one").converge(runner);
  CHECK(told(runner).find("nothing to save yet") != std::string::npos);
  CHECK(backups_in(folder.path()).empty());

  Host changed = with_data(folder.path(), policy_of_files(), "two");
  const Value planned = changed.plan(runner);
  REQUIRE(planned.at("backups").as_list().size() == 1);
  CHECK(planned.at("backups").as_list()[0].at("because") == Value("file:/srv/data/settings"));
  changed.converge(runner);
  REQUIRE(backups_in(folder.path()).size() == 1);
  const std::string shelf = folder / "var/backups/holdfast/app/" + backups_in(folder.path()).front();
  const Value record = from_json(read_file(shelf + "/backup.json"));
  CHECK(record.at("reason") == Value("before-deploy"));
  CHECK(record.at("transaction") == Value(changed.transaction));
  CHECK(record.at("commit") == Value(std::string(40, 'c')));
  CHECK(told(runner).find("taken: " + record.at("id").as_text()) != std::string::npos);

  changed.file("/etc/motd", "other").converge(runner);
  CHECK(backups_in(folder.path()).size() == 1);
}

TEST_CASE("without a backup the change is refused and nothing is touched", "[runner][backup]") {
  const TemporaryFolder folder;
  Runner runner(folder.path());
  with_data(folder.path(), policy_of_files(), "one").converge(runner);
  Host changed = with_data(folder.path(), policy_of_files(std::int64_t{1} << 60), "two");
  changed.file("/etc/motd", "other");
  const Value reply = changed.apply(runner);
  CHECK(reply.at("state") == Value("refused"));
  CHECK(reply.at("failure").at("what").as_text().find("must stay free") != std::string::npos);
  CHECK(reply.at("failure").at("id") == Value("file:/etc/holdfast/backups/app.json"));
  CHECK(read_file(folder / "srv/data/settings") == "one");
  CHECK(read_file(folder / "etc/motd") == "hello");
  CHECK(backups_in(folder.path()).empty());
  CHECK(Runner(folder.path()).hello().find("open") == nullptr);

  with_data(folder.path(), policy_of_files(), "two").converge(runner);
  CHECK(read_file(folder / "srv/data/settings") == "two");
  CHECK(backups_in(folder.path()).size() == 1);
}

TEST_CASE("backups are listed, taken and verified by request", "[runner][backup]") {
  const TemporaryFolder folder;
  Runner runner(folder.path());
  Host host = with_data(folder.path(), policy_of_files(), "one");
  host.converge(runner);
  const auto standing = [&] {
    return runner.ask({{"do", "plan"}, {"bundle", to_value(host.bundle)}}).at("backups").as_list().at(0).at("problem");
  };
  CHECK(standing() == Value("never"));
  const Value taken = runner.ask({{"do", "backup_run"}, {"policy", "app"}});
  CHECK(taken.at("ok") == Value(true));
  CHECK(told(runner).find("saving files /srv/data") != std::string::npos);
  CHECK(standing() == Value(""));
  const std::string id = taken.at("record").at("id").as_text();
  CHECK(runner.ask({{"do", "backup_verify"}, {"policy", "app"}, {"id", id}}).at("ok") == Value(true));

  const std::string file = folder / "var/backups/holdfast/app/" + id + "/1-files-files.tar.gz";
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(file, bytes);
  const Value damaged = runner.ask({{"do", "backup_verify"}, {"policy", "app"}});
  CHECK(damaged.at("ok") == Value(false));
  CHECK(damaged.at("record").at("verification").at("state") == Value("damaged"));
  CHECK(standing() == Value("damaged"));
  const Value listing = runner.ask({{"do", "backups"}}).at("backups").as_list().at(0);
  CHECK(listing.at("policy") == Value("app"));
  CHECK(listing.at("backups").as_list().at(0).at("id") == Value(id));
  CHECK(listing.at("standing").at("problem") == Value("damaged"));
}

TEST_CASE("requests about backups that there are not are errors", "[runner][backup]") {
  const TemporaryFolder folder;
  Runner runner(folder.path());
  CHECK(runner.ask({{"do", "backups"}}).at("backups").as_list().empty());
  CHECK_THROWS_WITH(runner.ask({{"do", "backup_run"}, {"policy", "app"}}), Catch::Contains("no backup policy"));
  CHECK_THROWS_WITH(runner.ask({{"do", "backup_run"}, {"policy", "../../etc/passwd"}}),
                    Catch::Contains("no backup policy"));
  CHECK_THROWS_AS(runner.ask({{"do", "backup_run"}}), Error);
  with_data(folder.path(), policy_of_files(), "one").converge(runner);
  CHECK_THROWS_WITH(runner.ask({{"do", "backup_verify"}, {"policy", "app"}, {"id", "--json"}}),
                    Catch::Contains("no id"));
  write_file(folder / "etc/holdfast/backups/broken.json", "{\"version\": 1, \"name\": \"other\"");
  const Value backups = runner.ask({{"do", "backups"}}).at("backups");
  CHECK(std::ranges::any_of(backups.as_list(), [](const Value& one) {
    return one.at("policy") == Value("broken") && one.at("standing").at("problem") == Value("failed");
  }));
  CHECK(run_host({"--root", folder.path(), "backup", "run", "app"}) == 0);
  CHECK(run_host({"--root", folder.path(), "backup", "run", "none"}) == 1);
  CHECK(run_host({"--root", folder.path(), "backup", "walk", "app"}) == 2);
  CHECK(run_host({"--root", folder.path(), "backup", "run", "app", "--reason", "whim"}) == 2);
}
