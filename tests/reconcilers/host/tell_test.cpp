#include "runner.hpp"
#include "temporary.hpp"

#include <reconcilers/host/tell.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <sstream>

using namespace holdfast;

namespace {

struct Machine {
  Machine() {
    for (const char* name : {"etc", "srv", "var/lib"}) std::filesystem::create_directories(folder / name);
  }
  [[nodiscard]] std::string told(const std::vector<std::string>& words) const {
    std::ostringstream text;
    CHECK(tell_command(State(folder.path()), words, text) == 0);
    return text.str();
  }
  TemporaryFolder folder{};
};

}  // namespace

TEST_CASE("a host without history says so", "[tell]") {
  const Machine machine;
  CHECK(machine.told({"status"}) == "verified: nothing yet\nopen: nothing\nepoch: 0\nmanaged: 0 things\n");
  CHECK(machine.told({"history"}).empty());
  CHECK(machine.told({"history", "--json"}) == "[]\n");
}

TEST_CASE("what was confirmed and what is open is told on the host", "[tell]") {
  const Machine machine;
  Runner runner(machine.folder.path());
  Host host(machine.folder.path());
  host.file("/etc/motd", "first\n");
  host.converge(runner);
  const std::string first = host.transaction;
  host.file("/etc/motd", "second\n");
  host.apply(runner);

  const std::string status = machine.told({"status"});
  CHECK_THAT(status, Catch::Contains("by transaction " + first));
  CHECK_THAT(status, Catch::Contains("open: " + host.transaction));
  CHECK_THAT(status, Catch::Contains("pending"));
  const std::string history = machine.told({"history"});
  CHECK(history.find(host.transaction) < history.find(first));
  CHECK_THAT(machine.told({"show", first}),
             Catch::Contains("intent file:/etc/motd") && Catch::Contains("state confirmed"));
  CHECK(from_json(machine.told({"show", first, "--json"})).as_list().at(0).at("record").as_text() == "begin");
  CHECK(from_json(machine.told({"history", "--json"})).as_list().at(0).at("state").as_text() == "pending");
}

TEST_CASE("a transaction that is not there is an error that says where to look", "[tell]") {
  const Machine machine;
  std::ostringstream text;
  CHECK_THROWS_WITH(tell_command(State(machine.folder.path()), {"show", "../../etc/passwd"}, text),
                    Catch::Contains("holdfast-host history"));
  CHECK(tell_command(State(machine.folder.path()), {"show"}, text) == 2);
}
