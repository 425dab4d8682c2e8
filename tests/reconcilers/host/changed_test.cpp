#include "runner.hpp"
#include "temporary.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

using namespace holdfast;

namespace {

/// A host with a file that a transaction changes, and somebody who edits it at a point of the runner's program.
struct Contended {
  Contended() : host(prepared(folder)), runner(folder.path()) {}

  static std::string prepared(const TemporaryFolder& folder) {
    for (const char* name : {"etc", "var/lib"}) std::filesystem::create_directories(folder / name);
    write_file(folder / "etc/motd", "old\n");
    return folder.path();
  }

  /// `edit` while the runner stands at that point.
  std::thread at(const std::string& point, std::function<void()> edit) {
    std::filesystem::create_directories(folder / "var/lib/holdfast");
    const std::string file = folder / "var/lib/holdfast/failpoints";
    write_file(file, point + " wait\n");
    return std::thread([file, edit = std::move(edit)] {
      for (int i = 0; i < 2'000 && !std::filesystem::exists(file + ".hit"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      edit();
      write_file(file + ".go", "");
    });
  }

  TemporaryFolder folder;
  Host host;
  Runner runner;
};

}  // namespace

TEST_CASE("what somebody edits before it is changed stops the transaction, which says so", "[transaction][swap]") {
  Contended one;
  one.host.file("/etc/a", "a\n").file("/etc/motd", "new\n");
  const std::string point = GENERATE("execute:action.begun#2", "execute:swap.waiting#1", "execute:swap.exchanged#1");
  INFO(point);
  std::thread editor = one.at(point, [&] { write_file(one.folder / "etc/motd", "theirs\n"); });
  const Value reply = one.host.apply(one.runner);
  editor.join();
  if (point.find("exchanged") == std::string::npos) {
    CHECK(reply.at("state") == Value("rolled_back"));
    CHECK(reply.at("failure").bool_or("changed", false));
    CHECK(reply.at("failure").at("id") == Value("file:/etc/motd"));
    CHECK_FALSE(std::filesystem::exists(one.folder / "etc/a"));
  } else {
    CHECK(reply.at("failure").at("what").as_text().find("is not as wanted") != std::string::npos);
  }
  CHECK(read_file(one.folder / "etc/motd") == "theirs\n");
}

TEST_CASE("what somebody edits before it is undone stays as they made it", "[transaction][swap]") {
  Contended one;
  one.host.file("/etc/motd", "new\n").file("/etc/b", "b\n");
  REQUIRE(one.host.apply(one.runner).at("state") == Value("pending"));
  std::thread editor = one.at("swap.waiting#1", [&] { write_file(one.folder / "etc/motd", "theirs\n"); });
  const Value reply = one.host.rollback(one.runner);
  editor.join();
  CHECK(reply.at("state") == Value("rolled_back"));
  REQUIRE(reply.at("left").as_texts().size() == 1);
  CHECK(reply.at("left").as_texts().front().find("someone changed") != std::string::npos);
  CHECK(read_file(one.folder / "etc/motd") == "theirs\n");
  CHECK_FALSE(std::filesystem::exists(one.folder / "etc/b"));
}

TEST_CASE("a runner that is killed with somebody's edit in its hands gives it back", "[transaction][swap][crash]") {
  Contended one;
  one.host.file("/etc/motd", "new\n");
  std::filesystem::create_directories(one.folder / "var/lib/holdfast");
  std::thread editor = one.at("execute:swap.waiting", [&] {
    write_file(one.folder / "etc/motd", "theirs\n");
    write_file(one.folder / "var/lib/holdfast/failpoints", "execute:swap.exchanged kill\n");
  });
  const Value reply = one.host.apply(one.runner);
  editor.join();
  CHECK(reply.at("state") == Value("rolled_back"));
  CHECK(read_file(one.folder / "etc/motd") == "theirs\n");
  for (const auto& entry : std::filesystem::directory_iterator(one.folder / "etc"))
    CHECK(entry.path().filename() == "motd");
}
