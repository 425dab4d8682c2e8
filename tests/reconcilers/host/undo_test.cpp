#include <reconcilers/host/undo.hpp>

#include <catch2/catch.hpp>

#include <random>

using namespace holdfast;

namespace {

const Attributes absent{{"present", false}};

Attributes file(const std::string& content, int mode = 0644) {
  return {{"present", true}, {"content", content}, {"mode", mode}, {"owner", "root"}, {"group", "root"}, {"size", 1}};
}

Attributes unit(const std::string& active, const std::string& loaded = "") {
  Attributes state{{"enabled", "enabled"}, {"active", active}, {"daemon", "current"}};
  if (!loaded.empty()) state["loaded"] = loaded;
  return state;
}

Touched touched(const std::string& id, const Attributes& from, const Attributes& to, bool begun = true,
                bool done = true) {
  return {.action = {.id = primitive_id(id), .from = from, .to = to},
          .wanted = {.id = primitive_id(id), .attributes = to},
          .begun = begun,
          .done = done};
}

/// The single move of the undo of one action, from where it is now; nothing moves where it gives `now`.
Attributes undone(const Touched& one, const Attributes& now, UndoTime time = UndoTime::running) {
  const UndoPlan plan = undo_of({one}, {{one.action.id, now}}, time);
  CHECK(plan.left.empty());
  REQUIRE(plan.moves.size() <= 1);
  return plan.moves.empty() ? now : plan.moves.front().to;
}

std::size_t left(const Touched& one, const Attributes& now) {
  const UndoPlan plan = undo_of({one}, {{one.action.id, now}}, UndoTime::running);
  CHECK(plan.moves.empty());
  return plan.left.size();
}

}  // namespace

TEST_CASE("undo gives a file back what it had", "[undo]") {
  CHECK(undone(touched("file:/a", absent, file("new")), file("new")) == absent);
  CHECK(undone(touched("file:/a", file("old"), absent), absent) == file("old"));
  CHECK(undone(touched("file:/a", file("old"), file("new")), file("new")).at("content") == Value("old"));
  CHECK(undone(touched("file:/a", file("same", 0600), file("same", 0644)), file("same", 0644)).at("mode") ==
        Value(0600));
}

TEST_CASE("undo repairs a package that was cut off, in whichever version it stands", "[undo]") {
  const auto package = [](const char* version, const char* state) {
    return Attributes{{"present", true}, {"version", version}, {"state", state}};
  };
  const Touched one = touched("package:p", package("1.0", "installed"), package("1.1", "installed"), true, false);
  for (const char* version : {"1.0", "1.1"}) {
    CHECK(undone(one, package(version, "broken")) == package("1.0", "installed"));
  }
}

TEST_CASE("undo keeps nothing aside of a release that was not there", "[undo]") {
  const Attributes made{{"present", true}, {"digest", "d"}};
  const auto forgets = [&](const Attributes& from, const Attributes& now) {
    const UndoPlan plan =
        undo_of({touched("tree:/a", from, made)}, {{primitive_id("tree:/a"), now}}, UndoTime::running);
    return !plan.moves.empty() && plan.moves.front().wanted.parameters.contains("forget");
  };
  CHECK(forgets(absent, made));
  CHECK_FALSE(forgets(Attributes{{"present", true}, {"digest", "old"}}, absent));
}

TEST_CASE("undo needs nothing for what is already as it was", "[undo]") {
  CHECK(undone(touched("file:/a", file("old"), file("new")), file("old")) == file("old"));
  CHECK(undone(touched("file:/a", absent, file("new")), absent) == absent);
  CHECK(undone(touched("file:/a", file("old"), file("new"), false, false), file("edited")) == file("edited"));
}

TEST_CASE("undo leaves alone what someone else made of it", "[undo]") {
  CHECK(left(touched("file:/a", file("old"), file("new")), file("edited")) == 1);
  CHECK(left(touched("file:/a", absent, file("new")), file("edited")) == 1);
  CHECK(left(touched("file:/a", file("old"), absent), file("edited")) == 1);
  CHECK(left(touched("file:/a", file("old"), file("new")), absent) == 1);
  CHECK(left(touched("file:/a", absent, file("new")), {{"present", true}, {"obstacle", "a directory"}}) == 1);
}

TEST_CASE("undo starts again what was stopped, and stops what was started", "[undo]") {
  CHECK(undone(touched("unit:a.service", unit("running", "A"), unit("running", "B")), unit("failed")).at("active") ==
        Value("running"));
  CHECK(undone(touched("unit:a.service", unit("running"), unit("stopped")), unit("stopped")).at("active") ==
        Value("running"));
  CHECK(undone(touched("unit:a.service", unit("stopped"), unit("running", "B")), unit("running", "B")).at("active") ==
        Value("stopped"));
}

TEST_CASE("undo restarts only a unit that runs with what was undone", "[undo]") {
  const Touched restarted = touched("unit:a.service", unit("running", "A"), unit("running", "B"));
  CHECK(undone(restarted, unit("running", "B")).at("loaded") == Value("A"));
  CHECK(undone(restarted, unit("running", "A")) == unit("running", "A"));
  Touched untouched = restarted;
  untouched.begun = untouched.done = false;
  CHECK(undone(untouched, unit("running", "A")) == unit("running", "A"));
  CHECK(undone(untouched, unit("running", "B")).at("loaded") == Value("A"));  // it restarted by itself
}

TEST_CASE("undo does not trust the memory of a unit whose reload was cut off", "[undo]") {
  Touched cut = touched("unit:a.service", unit("running", "A"), unit("running", "B"));
  cut.done = false;
  const UndoPlan plan = undo_of({cut}, {{cut.action.id, unit("running", "A")}}, UndoTime::running);
  REQUIRE(plan.moves.size() == 1);
  CHECK(plan.moves.front().from.at("loaded") != plan.moves.front().to.at("loaded"));
}

TEST_CASE("undo at boot leaves starting services to systemd", "[undo]") {
  const Touched one = touched("unit:a.service", unit("running", "A"), unit("running", "B"));
  CHECK(undone(one, unit("stopped"), UndoTime::booting) == unit("stopped"));
  CHECK(undone(touched("file:/a", file("old"), file("new")), file("new"), UndoTime::booting).at("content") ==
        Value("old"));
}

TEST_CASE("undo tells what is not back, without telling contents", "[undo]") {
  const PrimitiveId id = primitive_id("file:/a");
  const Move move{.wanted = {.id = id}, .from = file("new", 0600), .to = file("secret digest", 0640)};
  const std::vector<std::string> told = not_undone({move}, {{id, file("other", 0600)}});
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "file:/a: content is another, it was another");
  CHECK(told[1] == "file:/a: mode is 384, it was 416");
  CHECK(not_undone({move}, {{id, file("secret digest", 0640)}}).empty());
}

TEST_CASE("a folder that holds data by now stays, which is told and no failure", "[undo]") {
  const Attributes made{{"present", true}, {"mode", 0755}};
  const auto moves = [&](const std::string& id) {
    return std::vector<Move>{{.wanted = {.id = primitive_id(id)}, .from = made, .to = absent}};
  };
  const std::map<PrimitiveId, Attributes> full{{primitive_id("directory:/d"), made}, {primitive_id("tree:/t"), made}};
  CHECK(not_undone(moves("directory:/d"), full).empty());
  CHECK(kept_data(moves("directory:/d"), full).size() == 1);
  CHECK(kept_data(moves("directory:/d"), {{primitive_id("directory:/d"), absent}}).empty());
  CHECK(not_undone(moves("tree:/t"), full).size() == 1);
  CHECK(kept_data(moves("tree:/t"), full).empty());
}

TEST_CASE("undo takes back what a command did, also where it was cut off", "[undo]") {
  const Attributes first{{"present", true}, {"digest", "1"}, {"state", "done"}};
  const Attributes second{{"present", true}, {"digest", "2"}, {"state", "done"}};
  const Attributes half{{"present", true}, {"digest", "1"}, {"state", "cut_off"}};
  CHECK(undone(touched("command:a", first, second), second) == first);
  CHECK(undone(touched("command:a", first, second, true, false), half) == first);
  CHECK(undone(touched("command:a", first, second, true, false), first) == first);
  CHECK(undone(touched("command:a", first, second, false, false), first) == first);
  CHECK(undone(touched("command:a", half, second), second) == first);
  CHECK(undone(touched("command:a", absent, second), second) == absent);
}

TEST_CASE("what a command did that can't be undone is told, and what it ran for goes back", "[undo]") {
  const Attributes second{{"present", true}, {"digest", "2"}, {"state", "done"}};
  const Attributes made{{"present", true}, {"state", "done"}};
  Touched by_digest = touched("command:a", absent, second);
  by_digest.wanted.parameters["irreversible"] = "mails were sent";
  const UndoPlan plan = undo_of({by_digest}, {{by_digest.action.id, second}}, UndoTime::running);
  REQUIRE(plan.left.size() == 1);
  CHECK(plan.left.front().find("mails were sent") != std::string::npos);
  REQUIRE(plan.moves.size() == 1);
  CHECK(plan.moves.front().to == absent);
  Touched by_path = touched("command:a", absent, made);
  by_path.wanted.parameters["irreversible"] = "a key that others trust by now";
  CHECK(left(by_path, made) == 1);
  by_path.begun = false;
  CHECK(left(by_path, absent) == 0);
}

TEST_CASE("a unit that a command's undo stops is started again", "[undo]") {
  const Attributes second{{"present", true}, {"digest", "2"}, {"state", "done"}};
  Touched command = touched("command:a", absent, second, true, false);
  command.wanted.parameters["stops"] = List{"app.service"};
  const Touched service = touched("unit:app.service", unit("running", "1"), unit("running", "2"), false, false);
  const std::map<PrimitiveId, Attributes> now{{command.action.id, Attributes{{"present", true}, {"state", "cut_off"}}},
                                              {service.action.id, unit("running", "1")}};
  const UndoPlan plan = undo_of({command, service}, now, UndoTime::running);
  REQUIRE(plan.moves.size() == 2);
  CHECK(plan.moves[1].from != plan.moves[1].to);
  CHECK(plan.moves[1].to.at("loaded") == Value("1"));
}

TEST_CASE("a release stays at boot while a command of it is to be undone", "[undo]") {
  const Attributes made{{"present", true}, {"digest", "d"}};
  const Attributes ran{{"present", true}, {"digest", "2"}, {"state", "done"}};
  const Touched command = touched("command:a", absent, ran);
  const Touched tree = touched("tree:/r/1", absent, made);
  const std::map<PrimitiveId, Attributes> now{{command.action.id, ran}, {tree.action.id, made}};
  CHECK(undo_of({command, tree}, now, UndoTime::booting).moves.size() == 1);
  CHECK(undo_of({command, tree}, now, UndoTime::running).moves.size() == 2);
  CHECK(undo_of({tree}, now, UndoTime::booting).moves.size() == 1);
}

TEST_CASE("undo brings back whatever state a file was cut off in", "[undo][law]") {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto any = [&] {
      return random() % 4 == 0
                 ? absent
                 : file(std::string(1, static_cast<char>('a' + random() % 3)), 0600 + static_cast<int>(random() % 2));
    };
    const Attributes from = any();
    Attributes to = any();
    if (to.contains("content") && from.contains("content") && to.at("content") != from.at("content")) to.erase("size");
    if (from == to) continue;
    const Touched one = touched("file:/a", from, to);
    for (const Attributes& now : {from, to}) {
      Attributes back = undone(one, now);
      Attributes was = from;
      back.erase("size");
      was.erase("size");
      REQUIRE(back == was);
    }
  }
}
