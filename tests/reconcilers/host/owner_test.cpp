// One controller keeps a host; a second one may look.
#include "runner.hpp"
#include "temporary.hpp"

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

using namespace holdfast;

namespace {

const Value first = Map{{"id", "1111111111111111"}, {"name", "a@one"}};
const Value second = Map{{"id", "2222222222222222"}, {"name", "b@two"}};

struct Kept {
  TemporaryFolder folder{};
  Runner one{folder.path()};
  Runner two{folder.path()};
  Host host{folder.path()};

  Value claim(Runner& runner, const Value& who, std::int64_t epoch = 0, std::int64_t lease_ms = 60'000,
              bool adopt = false) {
    return runner.ask({{"do", "status"},
                       {"brief", true},
                       {"controller", who},
                       {"claim", true},
                       {"lease_ms", lease_ms},
                       {"epoch", epoch},
                       {"adopt", adopt}});
  }
  bool is_kept_by_other(const Value& reply) { return reply.find("owner") != nullptr; }
  /// An apply as a controller of that name sends it.
  Value apply(Runner& runner, const Value& who, std::int64_t epoch, const std::string& id) {
    const Value planned = host.plan(runner);
    for (const std::string& digest : planned.at("missing").as_texts()) runner.send_blob(host.contents.at(digest));
    host.transaction = id;
    return runner.ask({{"do", "apply"},
                       {"transaction", id},
                       {"epoch", epoch},
                       {"bundle_digest", planned.at("bundle_digest")},
                       {"plan_digest", planned.at("digest")},
                       {"commit", host.bundle.commit},
                       {"deadman_ms", 60'000},
                       {"controller", who}});
  }
};

}  // namespace

TEST_CASE("the first controller that claims a host keeps it, and a second one is told who does", "[owner]") {
  Kept kept;
  CHECK_FALSE(kept.is_kept_by_other(kept.claim(kept.one, first)));
  const Value told = kept.claim(kept.two, second, 9);
  REQUIRE(kept.is_kept_by_other(told));
  CHECK(told.at("owner").at("name") == Value("a@one"));
  CHECK(told.at("owner").at("lapsed") == Value(false));
  CHECK(told.at("epoch") == Value(0));
  CHECK_FALSE(kept.is_kept_by_other(kept.claim(kept.one, first)));
}

TEST_CASE("nothing is done for a controller that does not keep the host", "[owner]") {
  Kept kept;
  kept.host.file("/motd", "x\n");
  kept.claim(kept.one, first);
  const Value reply = kept.apply(kept.two, second, 5, "t-00000001");
  CHECK(reply.at("state") == Value("refused"));
  CHECK(reply.at("failure").at("what").as_text().find("a@one") != std::string::npos);
  CHECK(picture(kept.folder.path()).count("/motd") == 0);

  REQUIRE(kept.apply(kept.one, first, 5, "t-00000002").at("state") == Value("pending"));
  CHECK_THROWS_AS(
      kept.two.ask({{"do", "confirm"}, {"transaction", "t-00000002"}, {"epoch", 9}, {"controller", second}}), Error);
  CHECK_THROWS_AS(
      kept.two.ask({{"do", "rollback"}, {"transaction", "t-00000002"}, {"epoch", 9}, {"controller", second}}), Error);
  CHECK(kept.one.ask({{"do", "confirm"}, {"transaction", "t-00000002"}, {"epoch", 5}, {"controller", first}})
            .at("state") == Value("confirmed"));
  // What is decided is told to everyone.
  CHECK(kept.two.ask({{"do", "confirm"}, {"transaction", "t-00000002"}, {"epoch", 1}, {"controller", second}})
            .at("state") == Value("confirmed"));
}

TEST_CASE("a host is taken over after the lease, with a higher epoch, and not while a transaction waits", "[owner]") {
  Kept kept;
  kept.host.file("/motd", "x\n");
  kept.claim(kept.one, first, 0, 1'000);
  REQUIRE(kept.apply(kept.one, first, 5, "t-00000002").at("state") == Value("pending"));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'200));
  CHECK(kept.claim(kept.two, second, 9).at("owner").at("lapsed") == Value(false));
  kept.one.ask({{"do", "confirm"}, {"transaction", "t-00000002"}, {"epoch", 5}, {"controller", first}});
  const Value lapsed = kept.claim(kept.two, second, 5);
  REQUIRE(kept.is_kept_by_other(lapsed));
  CHECK(lapsed.at("owner").at("lapsed") == Value(true));
  CHECK_FALSE(kept.is_kept_by_other(kept.claim(kept.two, second, 6)));

  CHECK(kept.is_kept_by_other(kept.claim(kept.one, first)));
  kept.host.file("/motd", "y\n");
  CHECK(kept.apply(kept.one, first, 5, "t-00000003").at("state") == Value("refused"));
  CHECK(kept.apply(kept.one, first, 6, "t-00000004").at("state") == Value("refused"));
  CHECK(kept.apply(kept.two, second, 7, "t-00000005").at("state") == Value("pending"));
}

TEST_CASE("a host is adopted at once, and what its owner had pending can't be confirmed any more", "[owner]") {
  Kept kept;
  kept.host.file("/motd", "x\n");
  kept.claim(kept.one, first);
  REQUIRE(kept.apply(kept.one, first, 5, "t-00000002").at("state") == Value("pending"));
  CHECK(kept.is_kept_by_other(kept.claim(kept.two, second, 5, 60'000, true)));
  CHECK_FALSE(kept.is_kept_by_other(kept.claim(kept.two, second, 6, 60'000, true)));
  CHECK_THROWS_AS(kept.one.ask({{"do", "confirm"}, {"transaction", "t-00000002"}, {"epoch", 5}, {"controller", first}}),
                  Error);
  CHECK(kept.two
            .ask({{"do", "rollback"},
                  {"transaction", "t-00000002"},
                  {"epoch", 7},
                  {"reason", "adopted"},
                  {"controller", second}})
            .at("state") == Value("rolled_back"));
}

TEST_CASE("a name that is none is no controller", "[owner]") {
  Kept kept;
  CHECK_THROWS_AS(kept.claim(kept.one, Map{{"id", "../../etc"}, {"name", "x"}}), Error);
}
