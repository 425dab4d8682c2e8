#include "test_sshd.hpp"

#include <controller/ssh/runner_client.hpp>
#include <manifests/digest.hpp>

#include <catch2/catch.hpp>

#include <filesystem>
#include <map>
#include <set>

namespace holdfast {

namespace {

using Catch::Contains;

const std::string host_runner = HOST_RUNNER;

/// A bundle of text files, and their content by digest.
class Wishes {
 public:
  void file(const std::string& path, const std::string& text, int line = 7) {
    Wanted wanted;
    wanted.id = {PrimitiveType::file, path};
    wanted.attributes = {{"present", true}, {"content", sha256(text)}, {"size", static_cast<std::int64_t>(text.size())},
                         {"owner", "root"}, {"group", "root"},         {"mode", 0644}};
    wanted.origin = {.resource = "File/test", .position = {.file = "test.yaml", .line = line, .column = 1}};
    bundle_.wanted.push_back(wanted);
    contents_[sha256(text)] = text;
  }
  [[nodiscard]] const Bundle& bundle() const { return bundle_; }
  [[nodiscard]] ContentSource contents() const {
    return [this](const std::string& digest) { return contents_.at(digest); };
  }

 private:
  Bundle bundle_{.environment = "test", .host = "test", .commit = std::string(40, 'c')};
  std::map<std::string, std::string> contents_{};
};

/// Plans and applies; the transaction is pending after that.
PlanReply apply(RunnerClient& client, const Wishes& wishes, const std::string& transaction) {
  PlanReply reply = client.plan(wishes.bundle(), {.show = true}, in_ms(30'000));
  INFO(to_text(reply.plan.refusals.empty() ? PrimitiveId{} : reply.plan.refusals.front().id));
  REQUIRE(reply.plan.refusals.empty());
  REQUIRE_FALSE(reply.plan.actions.empty());
  client.send(reply.plan.missing, wishes.contents(), in_ms(30'000));
  std::set<std::string> events;
  const TransactionReply result = client.apply(
      {.transaction = transaction,
       .epoch = 1,
       .bundle_digest = reply.plan.bundle_digest,
       .plan_digest = reply.plan.digest,
       .commit = std::string(40, 'c')},
      [&events](const Value& event) { events.insert(event.text_or("id", "")); }, in_ms(60'000));
  INFO(result.what << " " << result.output);
  REQUIRE(result.state == "pending");
  CHECK(events.contains("file:/etc/holdfast-test"));
  return reply;
}

/// The whole life of a file through one client after the other; `connect_again` gives the new connection.
template <typename Connect>
void live_through(Connect connect_again, const std::string& file) {
  Wishes first;
  first.file("/etc/holdfast-test", "first\n");
  RunnerClient client = connect_again();
  const PlanReply planned = apply(client, first, "t-00000001");
  CHECK(planned.plan.actions.front().origin.position.line == 7);
  CHECK(read_text(file) == "first\n");

  RunnerClient fresh = connect_again();
  CHECK(fresh.confirm("t-00000001", 1, in_ms(30'000)).state == "confirmed");
  CHECK(fresh.confirm("t-00000001", 1, in_ms(30'000)).state == "confirmed");
  RunnerClient next = connect_again();
  CHECK(next.plan(first.bundle(), {}, in_ms(30'000)).plan.nothing_to_do());
  CHECK(next.hello().generation_transaction == "t-00000001");
  CHECK(next.hello().generation_bundle == digest_of(first.bundle()));

  Wishes second;
  second.file("/etc/holdfast-test", "second\n");
  const PlanReply change = apply(next, second, "t-00000002");
  CHECK(change.old_contents.at(sha256("first\n")) == "first\n");
  CHECK(read_text(file) == "second\n");
  CHECK(next.attach("t-00000002", {}, in_ms(30'000)).state == "pending");
  Wishes upper;
  upper.file("/etc/holdfast-test", "third\n", 7);
  next.plan(upper.bundle(), {}, in_ms(30'000));
  Wishes lower;  // the same bundle, from further down in the manifest
  lower.file("/etc/holdfast-test", "third\n", 9);
  CHECK(next.plan(lower.bundle(), {}, in_ms(30'000)).plan.actions.front().origin.position.line == 9);
  const TransactionReply undone = next.rollback("t-00000002", 1, "not healthy", {}, in_ms(60'000));
  INFO(undone.what);
  CHECK(undone.state == "rolled_back");
  CHECK(read_text(file) == "first\n");
  CHECK(next.plan(first.bundle(), {}, in_ms(30'000)).plan.nothing_to_do());
  CHECK(next.status(in_ms(30'000)).at("generation").text_or("transaction", "") == "t-00000001");
}

}  // namespace

TEST_CASE("a file is planned, applied, confirmed, changed and rolled back on a local host", "[runner]") {
  const TemporaryFolder root;
  std::filesystem::create_directories(root.file("etc"));
  Host host;
  host.name = "here";
  host.connection = "local";
  host.root = root.path();
  const auto connect_again = [&] { return RunnerClient(connect(host, {.runner = host_runner}, in_ms(30'000))); };
  live_through(connect_again, root.file("etc/holdfast-test"));
}

TEST_CASE("a file is planned, applied, confirmed, changed and rolled back over SSH", "[ssh]") {
  const TestSshd sshd;
  std::filesystem::create_directories(sshd.inside("/var/lib/host/etc"));
  Host host = sshd.host();
  host.root = "/var/lib/host";
  const auto connect_again = [&] { return RunnerClient(connect(host, sshd.options(host_runner), in_ms(30'000))); };
  live_through(connect_again, sshd.inside("/var/lib/host/etc/holdfast-test"));
}

TEST_CASE("the host's own ports are dialled through the connection", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client(connect(sshd.host(), sshd.options(host_runner), in_ms(30'000)));
  const auto banner = [&](const std::string& address) {
    const auto stream = client.dial(address, in_ms(30'000));
    std::string all;
    for (std::string bytes = "?"; !bytes.empty() && all.find('\n') == std::string::npos; all += bytes) {
      bytes = stream->read(100, in_ms(30'000));
    }
    return all;
  };
  CHECK_THAT(banner("127.0.0.1:" + std::to_string(sshd.port())), Catch::StartsWith("+SSH-2.0-OpenSSH"));
  CHECK_THAT(banner("/nowhere/x.sock"), Catch::StartsWith("-"));
  CHECK(client.run({"echo", "it's $HOME"}, "", 10'000, in_ms(30'000)).output == "it's $HOME\n");
}

}  // namespace holdfast
