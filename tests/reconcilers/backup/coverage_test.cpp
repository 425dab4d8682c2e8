#include <reconcilers/backup/policy.hpp>
#include <reconcilers/host/before_deploy.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

Wanted policy_file(const std::vector<std::string>& covers, const std::string& source = "/srv/app/data/app.db") {
  BackupPolicy policy{.name = "app", .destination = "/var/backups/holdfast"};
  policy.sources = {{.engine = BackupEngine::sqlite, .path = source}};
  Wanted file{.id = {PrimitiveType::file, backup_policy_path("app")}};
  file.parameters["backup"] = to_value(policy);
  if (!covers.empty()) file.parameters["backup"]["covers"] = Value::texts(covers);
  return file;
}

/// Whether a change of `id` asks for a backup first.
bool asks(const Wanted& file, const std::string& id, const std::vector<std::string>& after = {},
          ActionKind kind = ActionKind::change) {
  Bundle bundle;
  bundle.wanted = {file};
  Wanted wanted{.id = primitive_id(id)};
  for (const std::string& one : after) wanted.after.push_back(primitive_id(one));
  const std::vector<PlannedBackup> backups = backups_before(bundle, {{.kind = kind, .id = wanted.id}}, {wanted});
  if (!backups.empty()) CHECK(to_text(backups.front().because) == id);
  return !backups.empty();
}

}  // namespace

TEST_CASE("what may use the data asks for a backup first", "[backup][coverage]") {
  const Wanted file = policy_file({});
  CHECK(asks(file, "tree:/opt/app/releases/abc"));
  CHECK(asks(file, "tree:/opt/app/releases/abc", {}, ActionKind::prune));
  CHECK(asks(file, "link:/opt/app/current", {"tree:/opt/app/releases/abc"}));
  CHECK(asks(file, "command:migrate"));
  CHECK(asks(file, "unit:app.service", {"file:/etc/systemd/system/app.service"}));
  CHECK(asks(file, "file:/srv/app/data/app.db"));
  CHECK(asks(file, "directory:/srv/app/data"));
  CHECK(asks(file, "directory:/srv"));
}

TEST_CASE("what has nothing to do with the data asks for none", "[backup][coverage]") {
  const Wanted file = policy_file({});
  CHECK_FALSE(asks(file, "file:/etc/motd"));
  CHECK_FALSE(asks(file, "file:/srv/app/data2"));
  CHECK_FALSE(asks(file, "link:/etc/nginx/sites-enabled/app"));
  CHECK_FALSE(asks(file, "unit:nginx.service"));
  CHECK_FALSE(asks(file, "unit:app.timer", {"file:/etc/systemd/system/app.timer"}));
  CHECK_FALSE(asks(file, "package:curl"));
  CHECK_FALSE(asks(file, "file:/etc/holdfast/backups/app.json"));
  CHECK_FALSE(asks(file, "unit:holdfast-backup-app.service", {"file:/etc/systemd/system/holdfast-backup-app.service"}));
}

TEST_CASE("a policy that says what it covers means that alone", "[backup][coverage]") {
  const Wanted file = policy_file({"file:/etc/motd"});
  CHECK(asks(file, "file:/etc/motd"));
  CHECK_FALSE(asks(file, "tree:/opt/app/releases/abc"));
  CHECK_FALSE(asks(file, "file:/srv/app/data/app.db"));
}

TEST_CASE("a database server's packages and services are covered", "[backup][coverage]") {
  Wanted file = policy_file({});
  BackupPolicy policy{.name = "app", .destination = "/var/backups/holdfast"};
  policy.sources = {{.engine = BackupEngine::postgres, .database = "loans", .user = "postgres"}};
  file.parameters["backup"] = to_value(policy);
  CHECK(asks(file, "package:postgresql-15"));
  CHECK(asks(file, "unit:postgresql.service"));
  CHECK(asks(file, "file:/etc/postgresql/15/main/postgresql.conf"));
  CHECK_FALSE(asks(file, "package:nginx"));
}
