#include <reconcilers/backup/backup_state.hpp>
#include <reconcilers/backup/record.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

BackupRecord sample() {
  BackupRecord record{.id = "20261121T072955Z", .policy = "app", .host = "web1", .reason = "manual"};
  BackupPart part{.source = {.engine = BackupEngine::sqlite, .path = "/srv/app.db"}, .file = "1-sqlite-app.db.gz"};
  part.compression = "gzip";
  part.digest = sha256("x");
  part.raw_bytes = 100;
  part.stored_bytes = 50;
  part.facts = {{"rows", 3}};
  record.parts = {part};
  record.verified = Verified::yes;
  return record;
}

/// As somebody would forge it: changed, and sealed again.
Value forged(const std::function<void(Value&)>& change) {
  Value value = to_value(sample());
  value.as_map().erase("seal");
  change(value);
  value["seal"] = sha256(to_json(value));
  return value;
}

BackupRecord read(const Value& value) { return backup_record_from(value, "app", "20261121T072955Z"); }

}  // namespace

TEST_CASE("a record says the same after it was read", "[backup][record]") {
  const Value value = to_value(sample());
  CHECK(to_value(read(value)) == value);
  CHECK(to_value(read(from_json(to_pretty_json(value)))) == value);
}

TEST_CASE("a record that was changed is found by its seal, wherever it was changed", "[backup][record]") {
  const std::string text = to_json(to_value(sample()));
  int refused = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    try {
      read(from_json(changed));
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused == static_cast<int>(text.size()));
}

TEST_CASE("a record can't lead out of its folder or speak for another", "[backup][record]") {
  const auto part = [](Value& value) -> Value& { return value["parts"].as_list()[0]; };
  CHECK_NOTHROW(read(forged([](Value&) {})));
  for (const char* file : {"../../etc/shadow", "/etc/shadow", "a/b", ".hidden", "-x"}) {
    CHECK_THROWS_AS(read(forged([&](Value& value) { part(value)["file"] = file; })), Error);
  }
  CHECK_THROWS_AS(read(forged([&](Value& value) { part(value)["digest"] = "abc"; })), Error);
  CHECK_THROWS_AS(read(forged([&](Value& value) { part(value)["raw_bytes"] = -1; })), Error);
  CHECK_THROWS_AS(read(forged([&](Value& value) { part(value)["compression"] = "xz"; })), Error);
  CHECK_THROWS_AS(read(forged([&](Value& value) { part(value)["source"]["path"] = "../app.db"; })), Error);
  CHECK_THROWS_AS(read(forged([&](Value& value) { part(value)["source"]["engine"] = "sh"; })), Error);
  CHECK_THROWS_AS(read(forged([](Value& value) { value["parts"] = List{}; })), Error);
  CHECK_THROWS_AS(read(forged([](Value& value) { value["version"] = 2; })), Error);
  CHECK_THROWS_AS(read(forged([](Value& value) { value["policy"] = "other"; })), Error);
  CHECK_THROWS_AS(read(forged([](Value& value) { value["id"] = "20261121T072955Z-2"; })), Error);
  CHECK_THROWS_AS(read(forged([](Value& value) { value["verification"]["state"] = "sure"; })), Error);
  CHECK_THROWS_AS(read(List{}), Error);
  CHECK_THROWS_AS(read(Map{}), Error);
}

TEST_CASE("how backups stand is said in one word", "[backup][record]") {
  constexpr std::int64_t hour = 3'600'000;
  constexpr std::int64_t now = 1000 * hour;
  BackupPolicy policy;
  policy.max_age_ms = 26 * hour;
  const auto word = [&](const BackupState& state, std::int64_t since) {
    return judge_backups(policy, state, since, now).problem;
  };
  const BackupState good{.verified_id = "20261121T072955Z", .verified_at_ms = now - 25 * hour};
  CHECK(word(good, now).empty());
  CHECK(word({}, now - hour) == "never");
  CHECK(word({}, now - 27 * hour) == "missed");
  BackupState old = good;
  old.verified_at_ms = now - 27 * hour;
  CHECK(word(old, now) == "missed");
  BackupState failed = good;
  failed.failures = {{.at_ms = now - hour, .error = "the disk is full"}};
  CHECK(word(failed, now) == "failed");
  CHECK(judge_backups(policy, failed, 0, now)
            .detail.starts_with("the disk is full; the newest verified one is 25 hours"));
  failed.failures.front().at_ms = now - 26 * hour;  // before the last good one
  CHECK(word(failed, now).empty());
  BackupState damaged = good;
  damaged.damaged_id = "20261121T082955Z";
  CHECK(word(damaged, now) == "damaged");
  policy.max_age_ms = 0;
  CHECK(word(old, now).empty());
}

TEST_CASE("a policy that was edited by hand is checked", "[backup][record]") {
  const Value good = Map{{"version", 1},
                         {"name", "app"},
                         {"destination", "/var/backups/holdfast"},
                         {"sources", List{Map{{"engine", "sqlite"}, {"path", "/srv/app.db"}}}}};
  CHECK(to_value(backup_policy_from(to_value(backup_policy_from(good)))) == to_value(backup_policy_from(good)));
  const auto refused = [&](const std::string& key, const Value& value) {
    Value bad = good;
    bad[key] = value;
    CHECK_THROWS_AS(backup_policy_from(bad), Error);
  };
  refused("name", "../app");
  refused("name", "");
  refused("destination", "backups");
  refused("destination", "/var/../etc");
  refused("destination", "/");
  refused("sources", List{});
  refused("sources", List{Map{{"engine", "files"}, {"paths", List{"relative"}}}});
  refused("compress", "rot13");
  refused("keep_count", 0);
  refused("free_percent", 100);
  refused("version", 2);
}
