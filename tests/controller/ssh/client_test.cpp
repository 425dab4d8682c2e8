#include "test_sshd.hpp"

#include <controller/ssh/runner_client.hpp>
#include <controller/ssh/session_pool.hpp>
#include <manifests/digest.hpp>

#include <catch2/catch.hpp>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

namespace holdfast {

namespace {

using Catch::Contains;

const std::string runner = TEST_RUNNER;

Host local_host() {
  Host host;
  host.name = "here";
  host.connection = "local";
  host.root = "/nowhere";
  return host;
}

RunnerClient local_client() { return RunnerClient(connect(local_host(), {.runner = runner}, in_ms(1000))); }

Bundle bundle_of(std::size_t files) {
  Bundle bundle;
  bundle.environment = "test";
  bundle.host = "here";
  for (std::size_t i = 0; i < files; ++i) {
    Wanted wanted;
    wanted.id = {PrimitiveType::file, "/etc/" + std::to_string(i)};
    wanted.attributes = {{"present", true}, {"content", sha256(std::to_string(i))}};
    bundle.wanted.push_back(wanted);
  }
  return bundle;
}

}  // namespace

TEST_CASE("what a host says of its backups is checked and made printable", "[client]") {
  RunnerClient client = local_client();
  const Value found = client.backups("failed", in_ms(5000));
  CHECK(found.at("backups").as_list().at(0).at("standing").at("detail").as_text().find('\x1b') == std::string::npos);
  std::string told;
  const auto on_event = [&](const Value& event) { told += event.text_or("text", ""); };
  CHECK(client.backup_run("app", on_event, in_ms(5000)).at("ok") == Value(true));
  CHECK(told.starts_with("saving "));
  CHECK(told.find('\x1b') == std::string::npos);
  CHECK_THROWS_WITH(client.backups("fine", in_ms(5000)), Contains("how a backup stands"));
  CHECK_FALSE(client.alive());
  RunnerClient other = local_client();
  CHECK_THROWS_WITH(other.backup_run("other", {}, in_ms(5000)), Contains("backup"));
}

TEST_CASE("a bundle travels once, then by its digest", "[runner]") {
  RunnerClient client = local_client();
  const std::size_t files = GENERATE(1U, 9000U);  // the second one is longer than a frame's worth: it travels as a blob
  const Bundle bundle = bundle_of(files);
  for (int i = 0; i < 3; ++i) {
    const PlanReply reply = client.plan(bundle, {}, in_ms(30'000));
    CHECK(reply.plan.bundle_digest == digest_of(bundle));
    CHECK(reply.plan.notes == std::vector<std::string>{"colour \\x1b[31m"});
    CHECK(reply.old_contents.empty());
  }
  CHECK(client.status(in_ms(30'000)).int_or("bundles", 0) == 1);
  client.run({"forget"}, "", 1000, in_ms(30'000));
  CHECK(client.plan(bundle, {}, in_ms(30'000)).plan.bundle_digest == digest_of(bundle));
  CHECK(client.status(in_ms(30'000)).int_or("bundles", 0) == 2);
  CHECK(client.plan(bundle, {.show = true}, in_ms(30'000)).old_contents.at(sha256("old content")) == "old content");
}

TEST_CASE("the hello is known after the first answer, and is printable", "[runner]") {
  RunnerClient client = local_client();
  CHECK_THROWS_AS(client.hello(), Error);
  client.status(in_ms(30'000));
  CHECK(client.hello().epoch == 7);
  CHECK(client.hello().hostname == "test\\x1b[31m");
  CHECK(client.hello().open_state == "pending");
}

TEST_CASE("a request that the host refuses leaves the session usable, an answer of another form does not", "[runner]") {
  RunnerClient client = local_client();
  CHECK_THAT(error_of([&] { client.confirm("t-00000001", 1, in_ms(30'000)); }),
             Contains("no such \\x1b[1mtransaction"));
  CHECK(client.alive());
  std::string seen;
  const auto on_event = [&seen](const Value& event) { seen = event.text_or("text", ""); };
  CHECK(client.apply({.transaction = "t-00000001"}, on_event, in_ms(30'000)).state == "pending");
  CHECK(seen == "a\\x1b[2Jb");
  CHECK_THAT(error_of([&] { client.unit("x.service", in_ms(30'000)); }), Contains("unknown request"));
  CHECK(client.alive());
}

TEST_CASE("a local runner works below the host's root and ends with its stream", "[runner]") {
  pid_t pid = 0;
  {
    RunnerClient client = local_client();
    pid = static_cast<pid_t>(client.status(in_ms(30'000)).at("pid").as_int());
    CHECK(read_text("/proc/" + std::to_string(pid) + "/cmdline") ==
          runner + '\0' + "serve" + '\0' + "--root" + '\0' + "/nowhere" + '\0');
    CHECK(client.run({"stderr", "4000000"}, "", 1000, in_ms(30'000)).exit_code == 0);
  }
  const auto ended = [pid] {
    const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  };
  for (int i = 0; i < 1000 && !ended(); ++i) usleep(10'000);
  CHECK(ended());
  local_client().status(in_ms(30'000));  // starting the next one collects what ended
  CHECK(read_text("/proc/" + std::to_string(pid) + "/stat").empty());
}

TEST_CASE("a local runner that fails is told with its last words", "[runner]") {
  RunnerClient client = local_client();
  const std::string error = error_of([&] { client.run({"exit", "7"}, "", 1000, in_ms(30'000)); });
  CHECK_THAT(error, Contains("gone wrong"));
  CHECK_THAT(error, Contains("exit status 7"));
  CHECK_FALSE(client.alive());
  RunnerClient silent = local_client();
  CHECK_THAT(error_of([&] { silent.run({"silence"}, "", 1000, in_ms(300)); }), Contains("timed out"));
  CHECK_FALSE(silent.alive());
  CHECK_THAT(
      error_of([] { RunnerClient(connect(local_host(), {.runner = "/nowhere/x"}, in_ms(1000))).status(in_ms(1000)); }),
      Contains("cannot start the host runner"));
}

TEST_CASE("a host's session is kept between uses, and a lost one is replaced", "[pool]") {
  const TestSshd sshd;
  SessionPool pool(sshd.options(runner));
  const auto pid_of = [&](RunnerClient& client) { return client.status(in_ms(30'000)).at("pid").as_int(); };
  const auto use = [&] {
    const auto lease = pool.checkout(sshd.host(), in_ms(30'000));
    return pid_of(*lease);
  };
  const std::int64_t first = use();
  CHECK(pool.kept() == 1);
  CHECK(use() == first);

  SECTION("a fresh one is never the kept one") {
    const auto fresh = pool.fresh(sshd.host(), in_ms(30'000));
    CHECK(pid_of(*fresh) != first);
    CHECK(sshd.sessions().size() == 2);
  }
  SECTION("a second user at the same time gets one of his own") {
    const auto one = pool.checkout(sshd.host(), in_ms(30'000));
    const auto two = pool.checkout(sshd.host(), in_ms(30'000));
    CHECK(pid_of(*one) == first);
    CHECK(pid_of(*two) != first);
  }
  SECTION("a discarded one is closed") {
    pool.checkout(sshd.host(), in_ms(30'000)).discard();
    CHECK(pool.kept() == 0);
  }
  SECTION("one that broke while it was lent is closed") {
    error_of([&] { pool.checkout(sshd.host(), in_ms(30'000))->run({"exit", "1"}, "", 1000, in_ms(30'000)); });
    CHECK(pool.kept() == 0);
    CHECK(use() != first);
  }
  SECTION("one that was cut while it lay idle is swept, or replaced when it is asked for") {
    for (const pid_t session : sshd.sessions()) kill(session, SIGKILL);
    const bool swept = GENERATE(true, false);
    for (int i = 0; i < 1000 && swept && pool.kept() != 0; ++i) {
      pool.sweep();
      usleep(10'000);
    }
    CHECK(pool.kept() == (swept ? 0 : 1));
    CHECK(pool.ask(sshd.host(), in_ms(30'000), pid_of) != first);
  }
  SECTION("a host whose login or key changed is another one") {
    Host changed = sshd.host();
    changed.host_keys.push_back(make_key(sshd.file("next")));
    const auto lease = pool.checkout(changed, in_ms(30'000));
    CHECK_FALSE(lease.kept());
  }
  SECTION("a forgotten one is closed") {
    pool.forget(sshd.host());
    CHECK(pool.kept() == 0);
  }
}

TEST_CASE("idle and old sessions are closed", "[pool]") {
  SessionPool::Limits limits;
  const bool idle = GENERATE(true, false);
  (idle ? limits.idle : limits.age) = std::chrono::seconds(-1);
  SessionPool pool(
      [](const Host&, Deadline) {
        return std::make_unique<RunnerClient>(connect(local_host(), {.runner = runner}, in_ms(1000)));
      },
      limits);
  pool.checkout(local_host(), in_ms(1000));
  CHECK(pool.kept() == 1);
  CHECK_FALSE(pool.checkout(local_host(), in_ms(1000)).kept());
  pool.sweep();
  CHECK(pool.kept() == 0);
}

TEST_CASE("no more connections are made at once than allowed, and waiting for a turn has the deadline", "[pool]") {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  SessionPool::Limits limits;
  limits.connecting = 3;
  limits.patience = std::chrono::minutes(1);
  SessionPool pool(
      [&](const Host& host, Deadline deadline) {
        const int mine = ++now;
        for (int seen = most; seen < mine && !most.compare_exchange_weak(seen, mine);) continue;
        if (host.name == "slow") std::this_thread::sleep_until(deadline);
        auto client = std::make_unique<RunnerClient>(connect(local_host(), {.runner = runner}, deadline));
        client->status(deadline);
        --now;
        return client;
      },
      limits);
  SECTION("many at once") {
    std::vector<std::thread> threads;
    for (int i = 0; i < 12; ++i) {
      threads.emplace_back([&pool, i] {
        Host host = local_host();
        host.name = std::to_string(i);
        pool.checkout(host, in_ms(60'000));
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(pool.kept() == 12);
    CHECK(most <= 3);
  }
  SECTION("none is free") {
    Host slow = local_host();
    slow.name = "slow";
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&pool, slow] { error_of([&] { pool.fresh(slow, in_ms(1500)); }); });
    }
    while (now < 3) std::this_thread::yield();
    CHECK_THAT(error_of([&] { pool.fresh(local_host(), in_ms(100)); }), Contains("waiting for a turn"));
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_CASE("a host that does not answer keeps nobody from a connection for long", "[pool]") {
  std::atomic<bool> over{false};
  SessionPool::Limits limits;
  limits.connecting = 2;
  limits.patience = std::chrono::milliseconds(50);
  SessionPool pool(
      [&](const Host& host, Deadline deadline) {
        while (host.name == "dead" && !over) std::this_thread::yield();
        return std::make_unique<RunnerClient>(connect(local_host(), {.runner = runner}, deadline));
      },
      limits);
  Host dead = local_host();
  dead.name = "dead";
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) threads.emplace_back([&pool, dead] { pool.fresh(dead, in_ms(60'000)); });
  CHECK(pool.fresh(local_host(), in_ms(60'000))->alive());
  over = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("sixteen threads share a pool over one server", "[pool]") {
  const TestSshd sshd;
  const ConnectOptions options = sshd.options(runner);
  SessionPool pool(options);
  RunnerClient(connect(sshd.host(), options, in_ms(30'000))).status(in_ms(30'000));  // uploads
  std::atomic<int> answers{0};
  std::mutex mutex;
  std::set<std::string> errors;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      Host host = sshd.host();
      host.name = std::to_string(i % 8);
      for (int round = 0; round < 10; ++round) {
        const std::string error = error_of([&] {
          const std::string word = std::to_string(i * 100 + round);
          const auto lease = pool.checkout(host, in_ms(60'000));
          if (lease->run({word}, "", 1000, in_ms(60'000)).output == "[" + word + "]") ++answers;
          if (round == 5) lease->dial("127.0.0.1:1", in_ms(60'000))->read(1, in_ms(60'000));
        });
        const std::lock_guard lock(mutex);
        if (!error.empty()) errors.insert(error);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == std::set<std::string>{});
  CHECK(answers == 160);
  CHECK(pool.kept() == 8);
}

}  // namespace holdfast
