#include "plan_samples.hpp"

#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <memory>

namespace holdfast::test {

namespace {

const std::string old_commit = "3f2a1b9c4d5e6f708192a3b4c5d6e7f801234567";
const std::string new_commit = "9b1c2d3e4f5061728394a5b6c7d8e9f012345678";

Origin origin(const std::string& resource, const std::string& file, int line) {
  return {.resource = resource, .position = {.file = file, .line = line, .column = 1}};
}

/// New contents are kept behind the function that the plan has for them.
void offer(HostPlan& host, const std::string& bytes) {
  auto earlier = host.new_content;
  const std::string digest = sha256(bytes);
  host.new_content = [earlier, digest, bytes](const std::string& wanted) -> std::string {
    if (wanted == digest) return bytes;
    if (earlier) return earlier(wanted);
    throw Error("there is no content " + wanted);
  };
}

void add_release(HostPlan& host) {
  const std::string folder = "/opt/cvd/releases/";
  Action tree{.id = {PrimitiveType::tree, folder + new_commit},
              .from = {{"present", false}},
              .to = {{"present", true}, {"digest", sha256("t")}, {"owner", "cvdapp"}, {"group", "www-data"}},
              .origin = origin("Release/cvd", "deploy/cvd/app.yaml", 3)};
  tree.steps = {
      {"tree.put",
       {{"files", 3},
        {"bytes", 52'900},
        {"build", Map{{"steps", List{Value::texts({"python3", "-m", "venv", "venv"}),
                                     Value::texts({"venv/bin/pip", "install", "-r", "requirements.txt"})}}}}}}};
  host.plan.actions.push_back(tree);
  host.plan.actions.push_back({.id = {PrimitiveType::link, "/opt/cvd/app"},
                               .from = {{"present", true}, {"target", folder + old_commit}},
                               .to = {{"present", true}, {"target", folder + new_commit}},
                               .origin = tree.origin});
}

void add_env_file(HostPlan& host) {
  const std::string text = "FLASK_ENV=production\nSESSION_SECRET=0123456789012345678901234567890123456789\n";
  offer(host, text);
  Action file{.id = {PrimitiveType::file, "/opt/cvd/config/.env"},
              .from = {{"present", true}, {"content", "hmac:" + sha256("a")}, {"mode", 384}},
              .to = {{"present", true}, {"content", "hmac:" + sha256("b")}, {"mode", 384}},
              .origin = origin("EnvFile/cvd", "deploy/cvd/app.yaml", 14)};
  file.steps = {{"file.put", {{"template", sha256(text)}, {"sensitive", true}, {"secrets", Map{}}}}};
  host.plan.actions.push_back(file);
}

void add_units(HostPlan& host) {
  const auto unit = [&](const std::string& name, const std::string& verb, const std::vector<std::string>& loads,
                        Origin from) {
    Action action{.id = {PrimitiveType::unit, name}, .origin = std::move(from)};
    action.from = {{"active", "running"}, {"daemon", "current"}, {"loaded", sha256("old")}, {"enabled", "enabled"}};
    action.to = overlay(action.from, {{"loaded", sha256("new")}});
    action.steps = {{verb, {{"name", name}}}, {"unit.loaded", {{"name", name}, {"loads", Value::texts(loads)}}}};
    action.undo = action.steps;
    host.plan.actions.push_back(action);
  };
  unit("cvd.service", "unit.restart",
       {"link:/opt/cvd/app", "file:/opt/cvd/config/.env", "file:/etc/systemd/system/cvd.service"},
       origin("SystemdUnit/cvd.service", "deploy/cvd/app.yaml", 24));
  unit("nginx.service", "unit.reload", {"file:/etc/nginx/sites-available/cvd"},
       origin("NginxSite/cvd", "deploy/cvd/site.yaml", 1));
  unit("worker.service", "unit.restart", {}, origin("SystemdUnit/worker.service", "deploy/cvd/app.yaml", 40));
  host.plan.actions.push_back(
      {.id = {PrimitiveType::unit, "old.timer"},
       .from = {{"active", "running"}, {"enabled", "enabled"}},
       .to = {{"active", "stopped"}, {"enabled", "disabled"}},
       .steps = {{"unit.stop", {{"name", "old.timer"}}}, {"unit.disable", {{"name", "old.timer"}}}},
       .origin = origin("SystemdUnit/old.timer", "deploy/cvd/app.yaml", 50)});
}

void add_system(HostPlan& host) {
  host.plan.actions.push_back({.id = {PrimitiveType::package, "nginx"},
                               .from = {{"present", true}, {"version", "1.22.1-8"}},
                               .to = {{"present", true}, {"version", "1.22.1-9"}},
                               .irreversible = {"going back to nginx 1.22.1-8 depends on the mirror still having it"},
                               .origin = origin("Package/nginx", "deploy/common/base.yaml", 1)});
  host.plan.actions.push_back({.id = {PrimitiveType::package, "curl"},
                               .from = {{"present", false}},
                               .to = {{"present", true}},
                               .origin = origin("Package/curl", "deploy/common/base.yaml", 6)});
  host.plan.actions.push_back(
      {.id = {PrimitiveType::user, "cvdapp"},
       .from = {{"present", true}, {"groups", Value::texts({"adm"})}, {"shell", "/bin/sh"}},
       .to = {{"present", true}, {"groups", Value::texts({"adm", "www-data"})}, {"shell", "/bin/sh"}},
       .origin = origin("User/cvdapp", "deploy/common/base.yaml", 11)});
  host.plan.actions.push_back({.id = {PrimitiveType::directory, "/opt/cvd/data"},
                               .from = {{"present", true}, {"owner", "root"}, {"foreign", 12}},
                               .to = {{"present", true}, {"owner", "cvdapp"}, {"foreign", 0}},
                               .origin = origin("Directory/data", "deploy/common/base.yaml", 17)});
  host.plan.actions.push_back(
      {.kind = ActionKind::prune,
       .id = {PrimitiveType::file, "/etc/cron.d/old"},
       .from = {{"present", true}, {"content", sha256("* * * * *\n")}, {"size", 10}, {"mode", 420}},
       .to = {{"present", false}},
       .origin = {}});
}

}  // namespace

Action file_action(HostPlan& host, const std::string& path, const std::string& from, const std::string& to) {
  host.old_contents[sha256(from)] = from;
  offer(host, to);
  return {
      .id = {PrimitiveType::file, path},
      .from = {{"present", true},
               {"content", sha256(from)},
               {"size", static_cast<std::int64_t>(from.size())},
               {"mode", 384}},
      .to = {{"present", true}, {"content", sha256(to)}, {"size", static_cast<std::int64_t>(to.size())}, {"mode", 420}},
      .origin = origin("File/motd", "deploy/common/motd.yaml", 1)};
}

HostPlan full_plan(const std::string& host) {
  HostPlan plan{.host = host, .environment = "production", .commit = new_commit};
  add_system(plan);
  add_release(plan);
  add_env_file(plan);
  plan.plan.actions.push_back(file_action(plan, "/etc/motd", "one\ntwo\nthree\n", "one\n2\nthree\n"));
  Action site = file_action(plan, "/etc/nginx/sites-available/cvd", "", "server {\n\tlisten 80;\n}\n");
  site.from = {{"present", false}};
  site.origin = origin("NginxSite/cvd", "deploy/cvd/site.yaml", 1);
  plan.plan.actions.push_back(site);
  Action logo = file_action(plan, "/srv/logo.png", std::string("\0\1", 2), std::string(40'000, '\0'));
  logo.to["mode"] = logo.from["mode"];
  plan.plan.actions.push_back(logo);
  add_units(plan);
  plan.checks = {"SystemdUnit/cvd.service http http://127.0.0.1:5000/health", "NginxSite/cvd tcp :80"};
  plan.down_ms = {{"cvd.service", 2100}};
  plan.running = {"worker.socket"};
  plan.plan.backups = {{.policy = "cvd-db",
                        .because = {PrimitiveType::link, "/opt/cvd/app"},
                        .origin = origin("BackupPolicy/cvd-db", "deploy/cvd/backup.yaml", 1)}};
  plan.plan.validators = {{.name = "nginx -t"}, {.name = "systemd-analyze verify cvd.service"}};
  plan.plan.notes = {"directory:/opt/cvd/old is no longer managed, and kept: it is not empty"};
  return plan;
}

EnvironmentPlan of(std::vector<HostPlan> hosts) {
  EnvironmentPlan plan{.environment = "production", .tracked = "branch main", .commit = new_commit};
  if (!hosts.empty()) plan.environment = hosts.front().environment;
  if (!hosts.empty()) plan.commit = hosts.front().commit;
  plan.subject = "Greet politely";
  plan.author = "A Tester <tester@example.com>";
  plan.committed_s = 1'795'248'000;
  plan.health_window_ms = 15'000;
  plan.hosts = std::move(hosts);
  return plan;
}

std::vector<HostPlan> quiet_plans() {
  HostPlan quiet{.host = "db1", .environment = "production", .commit = new_commit};
  HostPlan lost{.host = "web9", .environment = "production", .commit = new_commit, .error = "connection refused"};
  HostPlan refused{.host = "web8", .environment = "production", .commit = new_commit};
  refused.plan.refusals = {{.id = {PrimitiveType::file, "/etc/motd"},
                            .what = "expected file at \"/etc/motd\", found a directory",
                            .hint = "move it away, or take the manifest back",
                            .origin = origin("File/motd", "deploy/common/motd.yaml", 1)}};
  return {quiet, lost, refused};
}

}  // namespace holdfast::test
