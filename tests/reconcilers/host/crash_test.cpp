#include "runner.hpp"
#include "temporary.hpp"

#include <reconcilers/host/transaction_record.hpp>

#include <catch2/catch.hpp>

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

using namespace holdfast;
using namespace std::chrono_literals;

namespace {

/// The process that executes this transaction: found by its own command line, which nobody else's is.
pid_t executor_of(const std::string& transaction) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string line = read_file(entry.path().string() + "/cmdline");
    if (line.find(std::string("execute\0", 8) + transaction) != std::string::npos) return std::stoi(name);
  }
  return 0;
}

void without_stashes(std::map<std::string, std::string>& seen) {
  std::erase_if(seen, [](const auto& one) { return one.first.find(".holdfast-removed-") != std::string::npos; });
}

/// Kills the runner at the `nth` begun action; the client that is attached sees to the rest.
void kill_at_action(int nth) {
  const TemporaryFolder folder;
  for (const char* name : {"etc", "srv", "opt", "var/lib"}) std::filesystem::create_directories(folder / name);
  write_file(folder / "etc/motd", "old\n");
  Host host(folder.path());
  Runner runner(folder.path());
  const auto before = picture(host.root);
  host.directory("/srv/app").file("/srv/app/a", "a\n").file("/etc/motd", "new\n").link("/srv/app/l", "a");
  host.tree("/opt/app-1", {{"main.py", "x\n"}}, {"/bin/sh", "-c", "sleep 0.05"});
  host.file("/etc/z", "z\n");
  int begun = 0;
  runner.on_event = [&](const Value& event) {
    const bool begins = event.text_or("kind", "") == "action" && event.text_or("state", "") == "begin";
    if (!begins || ++begun != nth) return;
    const pid_t executor = executor_of(host.transaction);
    if (executor > 0) ::kill(executor, SIGKILL);
  };
  const Value reply = host.apply(runner);
  const std::string state = reply.at("state").as_text();
  INFO("killed at action " << nth << ", ended " << state);
  auto after = picture(host.root);
  without_stashes(after);
  if (state == "pending") {  // it was past the last effect before the kill came
    CHECK(after.at("/etc/z") == "420 z\n");
    CHECK(host.rollback(runner).at("state") == Value("rolled_back"));
    after = picture(host.root);
    without_stashes(after);
  } else {
    CHECK(state == "rolled_back");
  }
  for (const auto& [path, text] : after) {
    INFO(path << ": " << text);
    CHECK(before.contains(path));
  }
  CHECK(after == before);
  runner.on_event = nullptr;
  host.converge(runner);
}

}  // namespace

TEST_CASE("a runner that is killed at any action leaves the host as it was, and the next one works",
          "[transaction][crash]") {
  for (int nth = 1; nth <= 6; ++nth) kill_at_action(nth);
}

TEST_CASE("recover finishes a rollback for which nothing but the journal is left", "[transaction][crash]") {
  const TemporaryFolder folder;
  for (const char* name : {"etc", "var/lib"}) std::filesystem::create_directories(folder / name);
  write_file(folder / "etc/motd", "old\n");
  Host host(folder.path());
  {
    Runner runner(folder.path());
    host.file("/etc/motd", "new\n").file("/etc/b", "b\n");
    REQUIRE(host.apply(runner).at("state") == Value("pending"));
  }
  const State state(host.root);
  const std::string journal = state.transaction_path(host.transaction, "journal");
  // As if the power had gone before the record of `pending` was whole.
  const std::string bytes = read_file(journal);
  write_file(journal, bytes.substr(0, bytes.size() - 3));
  REQUIRE(read_transaction(state, host.transaction).state == "open");
  REQUIRE(run_host({"--root", host.root, "recover"}) == 0);
  CHECK(read_transaction(state, host.transaction).state == "rolled_back");
  CHECK(read_file(host.root + "/etc/motd") == "old\n");
  CHECK_FALSE(std::filesystem::exists(host.root + "/etc/b"));
  CHECK_FALSE(state.open_transaction());
  CHECK(run_host({"--root", host.root, "recover"}) == 0);
}

TEST_CASE("a runner that dies before it opens its transaction has changed nothing, and nobody waits for it",
          "[transaction][crash]") {
  const TemporaryFolder folder;
  for (const char* name : {"etc", "var/lib"}) std::filesystem::create_directories(folder / name);
  Host host(folder.path());
  host.file("/etc/motd", "new\n");
  Runner runner(folder.path());
  host.converge(runner);
  // What such a runner leaves: the request, and a journal that says no more than that it began.
  const State state(host.root);
  const std::string id = "t0-unopened";
  std::filesystem::copy(state.transaction_path(host.transaction), state.transaction_path(id));
  std::filesystem::remove(state.transaction_path(id, "journal"));
  Journal(state.transaction_path(id, "journal"))
      .append(read_journal(state.transaction_path(host.transaction, "journal")).front());
  REQUIRE(read_transaction(state, id).state == "open");
  std::string why = "its runner died before it changed anything";
  SECTION("at once") {}
  SECTION("because its disk failed, when it had just said that it goes back") {
    why = "cannot write the events: Input/output error";
    Journal(state.transaction_path(id, "journal"))
        .append(Map{{"record", "state"}, {"state", "rolling_back"}, {"failure", to_value(failure_of({}, why))}});
  }

  const Value reply = runner.ask({{"do", "attach"}, {"transaction", id}});
  CHECK(reply.at("state") == Value("refused"));
  CHECK(reply.at("failure").at("what") == Value(why));
  CHECK(read_file(host.root + "/etc/motd") == "new\n");
  CHECK(run_host({"--root", host.root, "recover", host.transaction}) == 0);
  CHECK(read_transaction(state, host.transaction).state == "confirmed");
}

TEST_CASE("a transaction cut off at any record of its journal ends as it began", "[transaction][crash]") {
  const TemporaryFolder folder;
  for (const char* name : {"etc", "var/lib"}) std::filesystem::create_directories(folder / name);
  write_file(folder / "etc/motd", "old\n");
  Host host(folder.path());
  {
    Runner runner(folder.path());
    host.file("/etc/motd", "new\n").file("/etc/b", "b\n").link("/etc/l", "b");
    REQUIRE(host.apply(runner).at("state") == Value("pending"));
  }
  const TemporaryFolder kept;
  std::filesystem::copy(folder.path(), kept / "host",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  const std::string name = "/var/lib/holdfast/transactions/" + host.transaction + "/journal";
  const std::string bytes = read_file(kept / "host" + name);
  // The effects of records that the journal has lost are there: intent comes before effect, so only those may be.
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = (length << 8U) | static_cast<unsigned char>(bytes[at + i]);
    at += 8 + length;
    ends.push_back(at);
  }
  REQUIRE(ends.size() >= 9);
  REQUIRE(run_host({"--root", host.root, "recover", "--now"}) == 0);
  for (std::size_t cut = ends.size() - 2; cut + 1 >= ends.size() - 1; --cut) {
    const TemporaryFolder again;
    std::filesystem::copy(kept / "host", again / "host",
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    write_file(again / "host" + name, bytes.substr(0, ends[cut]));
    REQUIRE(run_host({"--root", again / "host", "recover"}) == 0);
    CHECK(read_file(again / "host/etc/motd") == "old\n");
    CHECK_FALSE(std::filesystem::exists(again / "host/etc/b"));
  }
}
