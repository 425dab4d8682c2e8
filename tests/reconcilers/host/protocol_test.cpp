#include "runner.hpp"
#include "temporary.hpp"

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace holdfast;

namespace {

struct Served {
  TemporaryFolder folder{};
  Runner runner{folder.path()};
};

std::string deep(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']');
}

}  // namespace

TEST_CASE("the runner says hello before it is asked", "[protocol]") {
  const Served served;
  CHECK(served.runner.hello().at("protocol") == Value(1));
  CHECK(served.runner.hello().find("generation") == nullptr);
  CHECK(served.runner.hello().at("epoch") == Value(0));
}

TEST_CASE("a request that can't be served is an error, and the next one is served", "[protocol]") {
  Served served;
  CHECK_THROWS_AS(served.runner.ask({{"do", "dance"}}), Error);
  CHECK_THROWS_AS(served.runner.ask({{"do", "attach"}, {"transaction", "../../etc"}}), Error);
  CHECK_THROWS_AS(served.runner.ask({{"do", "attach"}, {"transaction", "no-such-one"}}), Error);
  CHECK_THROWS_AS(served.runner.ask({{"do", "apply"}, {"transaction", "test-12345"}, {"epoch", -1}}), Error);
  CHECK_THROWS_AS(served.runner.ask({{"do", "plan"}, {"bundle", "text"}}), Error);
  CHECK_THROWS_AS(served.runner.ask({{"do", "plan"}, {"bundle_blob", "../../../etc/passwd"}}), Error);
  CHECK_THROWS_AS(served.runner.ask({{"do", "journal"}, {"unit", "--help"}}), Error);
  CHECK(served.runner.ask({{"do", "status"}}).at("inventory") == Value(0));
}

TEST_CASE("frames that are none end the session without harm", "[protocol]") {
  const std::string digest = sha256("x");
  const std::vector<std::pair<std::string, std::string>> frames = {
      {"another type", encode_frame('Q', "{}")},
      {"a length beyond every limit", std::string("\xff\xff\xff\xffJ", 5)},
      {"no JSON", encode_frame('J', "{\"do\":")},
      {"a list", encode_frame('J', "[]")},
      {"deep JSON", encode_frame('J', deep(100'000))},
      {"two equal keys", encode_frame('J', R"({"do":"plan","do":"status"})")},
      {"a blob of another digest", encode_frame('B', digest + ".y")},
      {"a blob without a digest", encode_frame('B', std::string(64, '/') + ".y")},
      {"the rest of another blob", encode_frame('B', digest + "+x") + encode_frame('B', sha256("y") + ".y")},
  };
  for (const auto& [name, bytes] : frames) {
    INFO(name);
    Served served;
    served.runner.send_raw(bytes);
    CHECK_THROWS_WITH(served.runner.ask({{"do", "status"}}), "the runner ended");
    CHECK(served.runner.end() == 1);
    CHECK(picture(served.folder.path()).size() <= 2);
  }
}

TEST_CASE("a bundle travels as a blob too, and is known by its digest from then on", "[protocol]") {
  Served served;
  Host host(served.folder.path());
  host.file("/motd", "x\n");
  const std::string text = to_json(to_value(host.bundle));
  served.runner.send_blob(text);
  const Value plan = served.runner.ask({{"do", "plan"}, {"bundle_blob", sha256(text)}}).at("plan");
  CHECK(plan.at("bundle_digest") == Value(digest_of(host.bundle)));
  CHECK(plan.at("missing").as_texts() == std::vector<std::string>{sha256("x\n")});
  Runner other(served.folder.path());
  CHECK(other.ask({{"do", "plan"}, {"bundle_digest", plan.at("bundle_digest")}}).at("plan").at("digest") ==
        plan.at("digest"));
  CHECK(other.ask({{"do", "plan"}, {"bundle_digest", sha256("none")}}).at("need") == Value("bundle"));
}

TEST_CASE("the old content of text files is sent where it may be shown", "[protocol]") {
  Served served;
  Host host(served.folder.path());
  write_file(served.folder / "motd", "old\n");
  write_file(served.folder / "secret", "old secret\n");
  host.file("/motd", "new\n").file("/secret", "new\n", 0600, {{"sensitive", true}});
  served.runner.ask({{"do", "plan"}, {"bundle", to_value(host.bundle)}, {"show", true}});
  CHECK(served.runner.blobs == std::map<std::string, std::string>{{sha256("old\n"), "old\n"}});
}

TEST_CASE("a plan by digest on a kept session takes a few milliseconds", "[protocol]") {
  Served served;
  Host host(served.folder.path());
  for (int i = 0; i < 200; ++i) host.file("/file" + std::to_string(i), "x\n");
  const Value digest = host.plan(served.runner).at("bundle_digest");
  host.converge(served.runner);
  const auto begin = std::chrono::steady_clock::now();
  constexpr int times = 10;
  for (int i = 0; i < times; ++i) served.runner.ask({{"do", "plan"}, {"bundle_digest", digest}});
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin) / times;
  WARN("a plan of 200 files that are as wanted: " << took.count() << " ms");
  CHECK(took.count() < 500);
}

TEST_CASE("a command check is run as it is given, and ended at its deadline", "[protocol]") {
  Served served;
  const Value reply =
      served.runner.ask({{"do", "run"}, {"argv", Value::texts({"/bin/echo", "$HOME;", "x"})}, {"timeout_ms", 5000}});
  CHECK(reply.at("exit") == Value(0));
  CHECK(reply.at("output") == Value("$HOME; x\n"));
  CHECK(served.runner.ask({{"do", "run"}, {"argv", Value::texts({"/bin/sleep", "30"})}, {"timeout_ms", 100}})
            .at("timed_out") == Value(true));
}
