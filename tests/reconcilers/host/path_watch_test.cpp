// What the kernel tells of watched paths, on real folders.
#include "temporary.hpp"

#include <reconcilers/host/host_watch.hpp>

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

using namespace holdfast;

namespace {

using Paths = std::set<std::string>;

struct Scene {
  Scene() {
    write_file(folder / "etc/app/conf", "one");
    write_file(folder / "etc/app/beside", "one");
    watch.arm(paths, paths);
  }
  Paths heard() { return watch.take().paths; }
  TemporaryFolder folder;
  Paths paths{"/etc/app/conf"};
  PathWatch watch{folder.path()};
};

}  // namespace

TEST_CASE("whatever happens to a watched file is told, and nothing of what lies beside it", "[watch]") {
  Scene scene;
  const std::string file = scene.folder / "etc/app/conf";
  CHECK(scene.heard().empty());
  SECTION("written") {
    write_file(file, "two");
    CHECK(scene.heard() == scene.paths);
  }
  SECTION("written by who holds it open") {
    std::ofstream open(file, std::ios::app);
    scene.watch.take();
    open << "more" << std::flush;
    CHECK(scene.heard() == scene.paths);
  }
  SECTION("another mode") {
    ::chmod(file.c_str(), 0600);
    CHECK(scene.heard() == scene.paths);
  }
  SECTION("removed") {
    ::unlink(file.c_str());
    CHECK(scene.heard() == scene.paths);
  }
  SECTION("replaced by a rename, and what is there then is watched, too") {
    write_file(file + ".new", "two");
    CHECK(scene.heard().empty());
    ::rename((file + ".new").c_str(), file.c_str());
    CHECK(scene.heard() == scene.paths);
    scene.watch.arm(scene.paths, scene.paths);
    ::truncate(file.c_str(), 1);
    CHECK(scene.heard() == scene.paths);
  }
  SECTION("the folder above swapped for another") {
    std::filesystem::rename(scene.folder / "etc/app", scene.folder / "etc/old");
    CHECK(scene.heard() == scene.paths);
    write_file(scene.folder / "etc/app/conf", "other");
    scene.watch.arm(scene.paths, scene.paths);
    write_file(scene.folder / "etc/app/conf", "again");
    CHECK(scene.heard() == scene.paths);
  }
  SECTION("the whole way to it removed, and made again") {
    std::filesystem::remove_all(scene.folder / "etc");
    CHECK(scene.heard() == scene.paths);
    scene.watch.arm(scene.paths, scene.paths);
    write_file(scene.folder / "etc/app/conf", "again");
    CHECK(scene.heard() == scene.paths);
  }
  SECTION("read") {
    CHECK(read_file(file) == "one");
    CHECK(scene.heard().empty());
  }
  SECTION("something beside it written, removed and made") {
    write_file(scene.folder / "etc/app/beside", "two");
    ::unlink((scene.folder / "etc/app/beside").c_str());
    write_file(scene.folder / "etc/app/third", "three");
    CHECK(scene.heard().empty());
  }
}

TEST_CASE("what happened before a watch is armed again is not told after it", "[watch]") {
  Scene scene;
  write_file(scene.folder / "etc/app/conf", "two");
  scene.watch.arm(scene.paths, scene.paths);
  CHECK(scene.heard().empty());
}

TEST_CASE("more than may be watched is left out and counted", "[watch]") {
  TemporaryFolder folder;
  PathWatch watch(folder.path());
  Paths many;
  for (int i = 0; i < 6'000; ++i) {
    many.insert("/d" + std::to_string(i) + "/f");
    std::filesystem::create_directories(folder / ("d" + std::to_string(i)));
  }
  const PathWatch::Reach reach = watch.arm(many, many);
  CHECK(reach.left_out > 1'000);
  CHECK(reach.paths + reach.left_out == 6'000);
}

TEST_CASE("what a bundle is about is watched: accounts and packages by their files, a release by its entries",
          "[watch]") {
  Bundle bundle;
  const auto add = [&bundle](const std::string& id) -> Wanted& {
    bundle.wanted.push_back({.id = primitive_id(id)});
    return bundle.wanted.back();
  };
  add("file:/etc/motd");
  add("link:/etc/now");
  add("user:alice");
  add("package:nginx");
  add("unit:nginx.service");
  add("command:build");
  add("tree:/opt/app/r1").parameters["entries"] = List{Map{{"path", "bin/app"}}};
  const Watched watched = watched_by(bundle);
  CHECK(watched.paths.at("/etc/motd").contains("file:/etc/motd"));
  CHECK(watched.paths.contains("/etc/now"));
  CHECK(watched.paths.at("/etc/passwd").contains("user:alice"));
  CHECK(watched.paths.at("/var/lib/dpkg/status").contains("package:nginx"));
  CHECK(watched.paths.at("/opt/app/r1/bin/app").contains("tree:/opt/app/r1"));
  CHECK(watched.files == Paths{"/etc/motd"});
  CHECK(watched.units.at("nginx.service") == "unit:nginx.service");
}
