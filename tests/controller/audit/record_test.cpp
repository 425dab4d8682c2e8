#include <controller/audit/record.hpp>
#include <controller/audit/trail.hpp>
#include <controller/audit/trail_query.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace holdfast;

namespace {

const std::string commit_a(40, 'a');
const std::string commit_b(40, 'b');

Deployment ended(Outcome outcome) {
  Deployment d;
  d.environment = "production";
  d.host = "web1";
  d.transaction = "20261121T140300Z-12345678";
  d.commit = commit_a;
  d.from_commit = commit_b;
  d.subject = "Raise workers";
  d.cause = outcome == Outcome::repaired ? "drift" : "commit";
  d.requested_by = "holdfast run";
  d.outcome = outcome;
  d.begun_ms = 1'795'269'787'000;
  d.ended_ms = 1'795'269'789'123;
  return d;
}

AuditEntry entry(Outcome outcome, const std::string& reason = "") {
  Deployment d = ended(outcome);
  d.reason = reason;
  return tidy(entry_of(d, Map{{"transaction", d.transaction}, {"summary", "1 to change"}}));
}

}  // namespace

TEST_CASE("an entry's subject says to people what happened", "[audit]") {
  CHECK(subject_of(entry(Outcome::deployed)) == "production: deployed aaaaaaaaaaaa to web1: Raise workers");
  CHECK(subject_of(entry(Outcome::repaired)) == "production: repaired web1 at aaaaaaaaaaaa: 1 to change");
  CHECK(subject_of(entry(Outcome::rolled_back, "not healthy")) ==
        "production: rolled back on web1 to bbbbbbbbbbbb from aaaaaaaaaaaa: not healthy");
  CHECK(subject_of(entry(Outcome::refused, "no")) == "production: refused aaaaaaaaaaaa on web1 by holdfast run: no");
  CHECK(
      subject_of(entry(Outcome::superseded, "superseded by cccccccccccc, which is wanted now")) ==
      "production: undone on web1 to bbbbbbbbbbbb from aaaaaaaaaaaa before it was judged: superseded by cccccccccccc, "
      "which is wanted now");
  CHECK(entry(Outcome::superseded).kind == "superseded");
  CHECK(entry(Outcome::superseded).rolled_back_to == commit_b);
  Deployment by_hand = ended(Outcome::deployed);
  by_hand.cause = "rollback";
  CHECK(subject_of(entry_of(by_hand, {})) == "production: rolled back on web1 to aaaaaaaaaaaa: Raise workers");
  by_hand.reason = "late watch: \"page\" failed 3 times in a row";
  CHECK(subject_of(entry_of(by_hand, {})) ==
        "production: rolled back on web1 to aaaaaaaaaaaa: late watch: \"page\" failed 3 times in a row");
  // That it was taken back later is the entry above; this one tells that it was deployed.
  CHECK(subject_of(entry(Outcome::rolled_back, "late watch: slow")) ==
        "production: deployed aaaaaaaaaaaa to web1: Raise workers");
  CHECK(subject_of({.kind = "contended",
                    .environment = "production",
                    .revision = commit_a,
                    .hosts = {"web1"},
                    .outcome = "contended",
                    .reason = "file:/etc/motd"}) == "production: contended aaaaaaaaaaaa on web1: file:/etc/motd");
  CHECK(subject_of({.kind = "suspend",
                    .environment = "production",
                    .hosts = {"a", "b", "c", "d", "e"},
                    .outcome = "suspended",
                    .by = "alice",
                    .reason = "hardware"}) == "production: suspended on a, b, c and 2 more by alice: hardware");
}

TEST_CASE("an entry's message has trailers for programs", "[audit]") {
  AuditEntry one = entry(Outcome::rolled_back, "not healthy");
  one.approved_by = {"alice", "bob"};
  const std::string message = record_message({7, sha256("x"), one});
  const auto trailers = trailers_of(message);
  const auto text = [&](const char* name) { return trailers.count(name) == 0 ? "-" : trailers.find(name)->second; };
  CHECK(text("Environment") == "production");
  CHECK(text("Event") == "rollback");
  CHECK(text("Revision") == commit_a);
  CHECK(text("Hosts") == "web1");
  CHECK(text("Outcome") == "rolled back");
  CHECK(text("Duration") == "2.123s");
  CHECK(trailers.count("Approved-by") == 2);
  CHECK(text("Reason") == "not healthy");
  CHECK(text("Rolled-back-to") == commit_b);
  CHECK(text("Requested-by") == "holdfast run");
  CHECK(text("Transaction") == "20261121T140300Z-12345678");
  CHECK(text("Number") == "7");
  CHECK(text("Entry") == one.id);
}

TEST_CASE("what people and hosts say can't become a trailer", "[audit]") {
  AuditEntry hostile{.kind = "suspend",
                     .environment = "production",
                     .hosts = {"web1\nEntry: 1", ""},
                     .by = "mallory\n\nApproved-by: alice",
                     .reason = "why\nApproved-by: alice\r\n\x1b[31m" + std::string(100'000, 'x'),
                     .subject = "s\n\nRevision: x",
                     .at_ms = -5,
                     .id = "../../x"};
  const AuditEntry one = tidy(hostile);
  const std::string message = record_message({1, "", one});
  const auto trailers = trailers_of(message);
  CHECK(trailers.count("Approved-by") == 0);
  CHECK(trailers.count("Revision") == 0);
  CHECK(trailers.count("Entry") == 1);
  CHECK(message.find('\x1b') == std::string::npos);
  CHECK(message.size() < 10'000);
  CHECK(one.hosts.size() == 1);
  CHECK(one.id.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(one.at_ms == 0);
}

TEST_CASE("a record lies in folders of its environment and its day", "[audit]") {
  const AuditRecord record{3, "", entry(Outcome::deployed)};
  CHECK(record_path(record) == "production/2026/11/21/20261121T140309.123Z-" + record.entry.id.substr(0, 12) + ".json");
  AuditRecord odd = record;
  odd.entry.environment = "../.git/x";
  CHECK(record_path(odd).starts_with("____git_x/2026/11/21/"));
  odd.entry.environment = "";
  CHECK(record_path(odd).starts_with("fleet/"));
}

TEST_CASE("a record is read as it was written, and anything else is refused", "[audit]") {
  const AuditRecord record{3, sha256("before"), entry(Outcome::rolled_back, "why")};
  const std::string text = record_text(record);
  CHECK(record_text(record_from(text)) == text);
  CHECK(record_from(text).number == 3);
  CHECK(record_from(text).previous == sha256("before"));
  const auto with = [&](const std::string& key, const Value& value) {
    Value changed = from_json(text);
    changed[key] = value;
    return to_json(changed);
  };
  CHECK_NOTHROW(record_from(with("added_later", "x")));
  CHECK_THROWS_AS(record_from(with("kind", "plan")), Error);
  CHECK_THROWS_AS(record_from(with("version", 2)), Error);
  CHECK_THROWS_AS(record_from(with("number", 0)), Error);
  CHECK_THROWS_AS(record_from(with("number", std::int64_t{1} << 62U)), Error);
  CHECK_THROWS_AS(record_from(with("previous", "x")), Error);
  CHECK_THROWS_AS(record_from(with("entry", "../x")), Error);
  CHECK_THROWS_AS(record_from(with("at_ms", -1)), Error);
  CHECK_THROWS_AS(record_from(with("hosts", "web1")), Error);
  CHECK_THROWS_AS(record_from("[]"), Error);
  CHECK_THROWS_AS(record_from(""), Error);
}

TEST_CASE("an entry's id follows from the host's transaction, whoever writes it", "[audit]") {
  Deployment again = ended(Outcome::deployed);
  again.id = 99;
  again.cause = "rebuilt";
  again.requested_by = "the host's journal";
  CHECK(entry_of(again, {}).id == entry_of(ended(Outcome::deployed), {}).id);
  again.transaction += "0";
  CHECK(entry_of(again, {}).id != entry_of(ended(Outcome::deployed), {}).id);
}

TEST_CASE("a record that is too long loses its diffs first, and says so", "[audit]") {
  List changes;
  changes.emplace_back(Map{{"id", "file:/etc/x"}, {"content", Map{{"diff", std::string(900'000, 'd')}}}});
  AuditEntry one = entry(Outcome::deployed);
  one.record = Map{{"changes", changes}, {"events", List{}}};
  const AuditEntry fit = tidy(one);
  CHECK(fit.record.at("left_out").as_texts() == std::vector<std::string>{"diffs"});
  CHECK(fit.record.at("changes").as_list().at(0).text_or("id", "") == "file:/etc/x");
  List events;
  for (int i = 0; i < 20'000; ++i) events.emplace_back(Map{{"at_ms", i}, {"text", std::string(100, 'e')}});
  one.record = Map{{"changes", List{}}, {"events", events}};
  const AuditEntry cut = tidy(one);
  CHECK(cut.record.at("events").as_list().size() == 400);
  CHECK(cut.record.at("events").as_list().back().int_or("at_ms", 0) == 19'999);
  CHECK(record_text({1, "", cut}).size() < max_audit_record_bytes);
}
