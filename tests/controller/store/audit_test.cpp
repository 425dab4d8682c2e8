#include <controller/audit/audit.hpp>
#include <controller/store/store.hpp>
#include <manifests/json.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

using namespace holdfast;

namespace {

/// A state file, and what it has waiting for the audit branch.
struct StateFile {
  std::filesystem::path folder;
  std::unique_ptr<Store> store;

  StateFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-audit-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) folder = pattern;
    store = Store::open(folder / "state.db");
  }
  ~StateFile() {
    store.reset();
    std::filesystem::remove_all(folder);
  }
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  [[nodiscard]] std::vector<std::string> waiting(const std::string& column) const {
    SQLite::Database database(folder / "state.db", SQLite::OPEN_READONLY);
    SQLite::Statement rows(database, "SELECT " + column + " FROM audits ORDER BY id");
    std::vector<std::string> list;
    while (rows.executeStep()) list.push_back(rows.getColumn(0).getString());
    return list;
  }
};

Deployment deployment(const std::string& host) {
  Deployment d;
  d.environment = "production";
  d.host = host;
  d.transaction = "t-" + host;
  d.commit = std::string(40, 'a');
  d.cause = "commit";
  d.plan = "[]";
  d.begun_ms = 1000;
  return d;
}

}  // namespace

TEST_CASE("a deployment that ends waits for the audit branch, once", "[store][audit]") {
  const StateFile state;
  const auto first = state.store->begin_deployment(deployment("web1"));
  const auto second = state.store->begin_deployment(deployment("web2"));
  CHECK(state.waiting("deployment").empty());
  state.store->end_deployment(first, Outcome::rolled_back, "not healthy", 2000);
  state.store->end_deployment(first, Outcome::rolled_back, "not healthy", 2001);
  state.store->end_deployment(second, Outcome::unknown, "contact lost", 3000);
  CHECK(state.waiting("deployment") == std::vector<std::string>{std::to_string(first)});
  state.store->end_deployment(second, Outcome::deployed, "", 4000);
  CHECK(state.waiting("deployment") == std::vector<std::string>{std::to_string(first), std::to_string(second)});
  CHECK(state.waiting("at_ms") == std::vector<std::string>{"2000", "4000"});
}

TEST_CASE("what a host was never asked to do is no entry of the audit", "[store][audit]") {
  const StateFile state;
  state.store->end_deployment(state.store->begin_deployment(deployment("web1")), Outcome::failed, "never begun", 2000);
  CHECK(state.waiting("deployment").empty());
}

TEST_CASE("what was undone because something newer was wanted waits for the audit branch", "[store][audit]") {
  const StateFile state;
  const auto undone = state.store->begin_deployment(deployment("web1"));
  const auto never = state.store->begin_deployment(deployment("web2"));
  state.store->end_deployment(undone, Outcome::superseded, "superseded by bbbbbbbbbbbb, which is wanted now", 2000);
  state.store->end_deployment(undone, Outcome::superseded, "superseded by bbbbbbbbbbbb, which is wanted now", 2001);
  state.store->end_deployment(never, Outcome::superseded, "nothing was done: superseded by bbbbbbbbbbbb", 3000);
  CHECK(state.waiting("deployment") == std::vector<std::string>{std::to_string(undone)});
  CHECK(state.waiting("at_ms") == std::vector<std::string>{"2000"});
}

TEST_CASE("a deployment that is learned from its host waits for the audit branch, too", "[store][audit]") {
  const StateFile state;
  Deployment past = deployment("web1");
  past.outcome = Outcome::rolled_back;
  past.cause = "rebuilt";
  const auto id = state.store->begin_deployment(past);
  state.store->end_deployment(id, Outcome::rolled_back, "not healthy", 1000);
  CHECK(state.waiting("deployment") == std::vector<std::string>{std::to_string(id)});
}

TEST_CASE("drift that is left alone waits for the audit branch when it begins", "[store][audit]") {
  const StateFile state;
  HostRecord web{
      .environment = "production", .host = "web1", .state = "converged", .live_commit = std::string(40, 'a')};
  const auto becomes = [&](const std::string& how, const std::string& detail, std::int64_t at_ms) {
    web.state = how;
    web.detail = detail;
    web.changed_ms = at_ms;
    state.store->put_host(web);
    return state.waiting("entry").size();
  };
  CHECK(becomes("converged", "", 1'000) == 0);
  CHECK(becomes("contended", "file:/etc/motd \"x\"", 2'000) == 1);
  CHECK(becomes("contended", "file:/etc/motd \"x\"", 3'000) == 1);
  CHECK(becomes("unreachable", "", 4'000) == 1);
  CHECK(becomes("contended", "file:/etc/motd \"x\"", 5'000) == 1);  // the same, and the line was only bad
  CHECK(becomes("drifted", "file:/etc/hosts", 6'000) == 2);
  CHECK(becomes("converged", "", 7'000) == 2);
  CHECK(becomes("contended", "file:/etc/motd \"x\"", 2 * 86'400'000) == 3);
  const AuditEntry entry = audit_entry_from(from_json(state.waiting("body")[0]));
  CHECK(entry.kind == "contended");
  CHECK(entry.hosts == std::vector<std::string>{"web1"});
  CHECK(entry.reason == "file:/etc/motd \"x\"");
  CHECK(entry.revision == std::string(40, 'a'));
  CHECK(entry.at_ms == 2'000);
}

TEST_CASE("what people do waits for the audit branch as it was said, and no id waits twice", "[store][audit]") {
  const StateFile state;
  AuditEntry entry{.kind = "approval",
                   .environment = "production",
                   .revision = std::string(40, 'b'),
                   .hosts = {"web1", "web2"},
                   .outcome = "approved",
                   .by = "alice",
                   .approved_by = {"alice", "bob"},
                   .reason = "tried on staging",
                   .rolled_back_to = std::string(40, 'c'),
                   .subject = "Raise workers",
                   .at_ms = 5000,
                   .record = Map{{"plan", "digest"}}};
  entry.duration_ms = 12;
  state.store->add_audit(entry);
  state.store->add_audit(entry);
  entry.id = "00112233445566778899aabbccddeeff";
  state.store->add_audit(entry);
  state.store->add_audit(entry);
  const auto ids = state.waiting("entry");
  REQUIRE(ids.size() == 3);
  CHECK(ids[0].size() == 32);
  CHECK(ids[0] != ids[1]);
  CHECK(ids[2] == entry.id);
  const AuditEntry kept = audit_entry_from(from_json(state.waiting("body")[2]));
  CHECK(to_json(to_value(kept)) == to_json(to_value(entry)));
  CHECK(kept.hosts == entry.hosts);
  CHECK(kept.record == entry.record);
}
