#include <controller/gates/certificate.hpp>
#include <controller/gates/command_gate.hpp>
#include <controller/gates/host_gates.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

constexpr std::int64_t hour = 3'600'000;

/// A host of which programs say what is given.
class Said : public HostProbe {
 public:
  std::map<std::string, Result> results{};  // by program
  std::vector<std::string> asked{};

  std::unique_ptr<Stream> dial(const std::string& /*address*/, Deadline /*deadline*/) override {
    throw Error("the connection is gone");
  }
  Unit unit(const std::string& /*name*/, Deadline /*deadline*/) override { return {}; }
  Result run(const std::vector<std::string>& argv, const std::string& /*user*/, std::int64_t /*timeout_ms*/,
             Deadline /*deadline*/) override {
    std::string line;
    for (const std::string& word : argv) line += (line.empty() ? "" : " ") + word;
    asked.push_back(line);
    return results.at(argv.front());
  }
};

HostRecord with_backup(const std::string& host, std::int64_t verified_ms, const std::string& policy = "db") {
  return {.environment = "production",
          .host = host,
          .backups = R"([{"policy":")" + policy + R"(","problem":"","detail":"","verified_id":"x","verified_at_ms":)" +
                     std::to_string(verified_ms) + R"(,"bytes":1}])"};
}

}  // namespace

TEST_CASE("free disk is a part of the file system or a size, of what programs may use", "[gates]") {
  CHECK(disk_answer({.percent = 20, .text = "20%"}, "4096 1000 200\n").open);
  const GateAnswer low = disk_answer({.percent = 20, .text = "20%"}, "4096 1000 199\n");
  CHECK_FALSE(low.open);
  CHECK(low.why == "20% of / must be free");
  CHECK(low.found == "19.9%, 0.0 GiB");
  const DiskGate size{.path = "/var", .bytes = 4096 * 100, .text = "0.4MiB"};
  CHECK(disk_answer(size, "4096 1000 100").open);
  CHECK_FALSE(disk_answer(size, "4096 1000 99").open);
}

TEST_CASE("what a host says that is no answer does not open", "[gates]") {
  for (const char* text : {"", "nothing", "4096 0 0", "4096 10", "-1 -1 -1", "4096 100 900", "nan nan nan"}) {
    INFO(text);
    CHECK_FALSE(disk_answer({.percent = 20, .text = "20%"}, text).open);
  }
  CHECK_FALSE(load_answer({.per_processor = 1}, "", "4").open);
  CHECK_FALSE(load_answer({.per_processor = 1}, "-3", "4").open);
  CHECK_FALSE(load_answer({.per_processor = 1}, "0.10 0.2 0.3", "0").open);
}

TEST_CASE("load counts for each processor", "[gates]") {
  CHECK(load_answer({.per_processor = 1.5}, "3.00 1.00 1.00 1/100 4711\n", "2\n").open);
  const GateAnswer busy = load_answer({.per_processor = 1.5}, "3.01 1.00 1.00 1/100 4711\n", "2\n");
  CHECK_FALSE(busy.open);
  CHECK(busy.found == "3.01 on 2 processors");
}

TEST_CASE("a certificate opens to the second", "[gates]") {
  const CertificateGate gate{.path = "/etc/site.pem", .valid_for_ms = 24 * hour};
  CHECK(certificate_answer(gate, 86'400, "", 0).open);
  const GateAnswer late = certificate_answer(gate, 86'399, "", 0);
  CHECK_FALSE(late.open);
  CHECK(late.why == "certificate /etc/site.pem must be valid for 1 d more: it expires 1970-01-01 23:59:59Z");
  CHECK_FALSE(certificate_answer(gate, 0, "no connection", 0).open);
  CHECK_THROWS_AS(certificate_expires_s("no certificate"), Error);
  CHECK_THROWS_AS(certificate_expires_s("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), Error);
}

TEST_CASE("a program opens by its exit code, in time", "[gates]") {
  const CommandGate gate{.argv = {"ask", "it"}, .within_ms = 30'000, .exit_code = 3};
  CHECK(command_answer(gate, {.exit_code = 3, .output = "fine"}).open);
  const GateAnswer other = command_answer(gate, {.exit_code = 0, .output = "no\nmore"});
  CHECK_FALSE(other.open);
  CHECK(other.why == "`ask it` must exit 3");
  CHECK(other.found == "exit 0: no");
  CHECK_FALSE(command_answer(gate, {.exit_code = 3, .timed_out = true}).open);
}

TEST_CASE("a program on the controller knows what it is asked for, and can't hang", "[gates]") {
  const CommandGate knows{.argv = {"sh", "-c", "test \"$HOLDFAST_ENVIRONMENT $HOLDFAST_COMMIT\" = 'production c1'"},
                          .within_ms = 10'000};
  CHECK(ask_here(knows, "production", "c1").open);
  CHECK_FALSE(ask_here(knows, "production", "c2").open);
  const GateAnswer hung = ask_here({.argv = {"sleep", "60"}, .within_ms = 100}, "production", "c1");
  CHECK_FALSE(hung.open);
  CHECK(hung.found.find("no end within") != std::string::npos);
  CHECK_FALSE(ask_here({.argv = {"/nowhere/at-all"}, .within_ms = 1000}, "production", "c1").open);
}

TEST_CASE("a host is asked below its root, and what can't be asked does not open", "[gates]") {
  Said probe;
  probe.results["stat"] = {.exit_code = 0, .output = "4096 1000 900"};
  probe.results["cat"] = {.exit_code = 1, .output = "cat: /etc/site.pem: No such file or directory"};
  GatesPolicy gates;
  gates.disks.push_back({.path = "/var", .percent = 20, .text = "20%"});
  gates.certificates.push_back({.path = "/etc/site.pem", .valid_for_ms = hour});
  gates.certificates.push_back({.name = "example.com", .valid_for_ms = hour});
  CHECK(asks_hosts(gates));
  CHECK_FALSE(asks_hosts(GatesPolicy{}));
  Host host;
  host.root = "/srv/trial";
  const auto answers = ask_host(gates, host, probe, 0);
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].open);
  CHECK(probe.asked.at(0) == "stat -f -c %S %b %a -- /srv/trial/var");
  CHECK_FALSE(answers[1].open);
  CHECK(answers[1].why.find("No such file") != std::string::npos);
  CHECK_FALSE(answers[2].open);
}

TEST_CASE("backups open when every host that has the policy has a young one", "[gates]") {
  const BackupGate gate{.policy = "db", .max_age_ms = 2 * hour};
  CHECK(ask(gate, {with_backup("a", hour), with_backup("b", 2 * hour, "other")}, 3 * hour).open);
  const GateAnswer old = ask(gate, {with_backup("a", hour)}, 3 * hour + 1);
  CHECK_FALSE(old.open);
  CHECK(old.why.find("the newest of a is of 1970-01-01 01:00:00Z") != std::string::npos);
  CHECK_FALSE(ask(gate, {with_backup("a", hour), with_backup("b", 0)}, 2 * hour).open);
  CHECK_FALSE(ask(gate, {}, hour).open);
  CHECK_FALSE(ask(gate, {with_backup("a", hour, "other")}, hour).open);
}
