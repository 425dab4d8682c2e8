// Who approves pushes a tag of the next number; somebody else may do so at the same moment.
#include "../git/git_fixture.hpp"

#include <controller/approval/approval_push.hpp>
#include <controller/git/publish.hpp>
#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;
using Texts = std::vector<std::string>;

namespace {

/// Somebody with a clone of his own.
struct Person {
  Person(const TempFolder& folder, const std::string& url, std::string called)
      : name(std::move(called)), mirror(Mirror::open(folder / name, {.url = url}, child_options())) {
    mirror->fetch(in_seconds(20));
  }
  std::string look_and_approve(const std::string& commit) {
    mirror->fetch(in_seconds(20));
    return approve(commit);
  }
  /// The name of the tag that he pushed.
  std::string approve(const std::string& commit) {
    Approval approval{.environment = "production", .commit = commit, .reason = "r", .approver = name};
    const auto write = [&](const Approval& named) {
      tried.push_back(named.tag);
      return write_tag(*mirror, commit, named.tag, approval_message(named),
                       {name, name + "@example.com", 1'700'000'000});
    };
    return push_approval(*mirror, approval, write, in_seconds(60)) ? approval.tag : "";
  }

  std::string name;
  std::unique_ptr<Mirror> mirror;
  Texts tried{};
};

struct Scene {
  TempFolder folder;
  GitRepository remote{folder / "remote"};
  std::string commit = remote.commit("README", "a fleet");
  Person ada{folder, remote.path(), "Ada"};
  Person bob{folder, remote.path(), "Bob"};

  ~Scene() { set_failpoint_hook({}); }
  /// Calls `work` between the making of a tag and its push, when Ada is the one who pushes.
  static void before_each_push(const std::function<void()>& work) {
    set_failpoint_hook([work, inside = std::make_shared<bool>(false)](const char* name) {
      if (std::string(name) != "approve.push" || *inside) return;
      *inside = true;
      work();
      *inside = false;
    });
  }
  [[nodiscard]] std::string approver(const std::string& tag) const {
    return remote.git({"for-each-ref", "--format=%(taggername)", "refs/tags/" + tag});
  }
};

const std::string prefix = "holdfast/approve/production/";

}  // namespace

TEST_CASE("of two people who approve at once each gets a number of his own", "[approval]") {
  Scene scene;
  bool raced = false;
  Scene::before_each_push([&] {
    if (!std::exchange(raced, true)) CHECK(scene.bob.approve(scene.commit) == prefix + "1");
  });
  CHECK(scene.ada.approve(scene.commit) == prefix + "2");
  REQUIRE(raced);
  CHECK(scene.ada.tried == Texts{prefix + "1", prefix + "2"});
  CHECK(scene.approver(prefix + "1") == "Bob");
  CHECK(scene.approver(prefix + "2") == "Ada");
  CHECK(scene.remote.git({"cat-file", "tag", prefix + "2"}).find("tag " + prefix + "2\n") != std::string::npos);
}

TEST_CASE("whoever was far behind takes the next number, and not each in turn", "[approval]") {
  Scene scene;
  bool raced = false;
  Scene::before_each_push([&] {
    if (std::exchange(raced, true)) return;
    for (int i = 0; i < 20; ++i) CHECK_FALSE(scene.bob.look_and_approve(scene.commit).empty());
  });
  CHECK(scene.ada.approve(scene.commit) == prefix + "21");
  CHECK(scene.ada.tried == Texts{prefix + "1", prefix + "21"});
}

TEST_CASE("a tag that the remote does not take is not tried under ten numbers", "[approval]") {
  Scene scene;
  scene.remote.git({"tag", "holdfast/approve"});  // a name that stands in the way of all below it
  CHECK_THROWS_WITH(scene.ada.approve(scene.commit),
                    Catch::Contains("the remote does not take the tag " + prefix + "1: "));
  CHECK(scene.ada.tried.size() == 1);
}

TEST_CASE("approving ends where others always come first", "[approval]") {
  Scene scene;
  Scene::before_each_push([&] { (void)scene.bob.look_and_approve(scene.commit); });
  CHECK_THROWS_WITH(scene.ada.approve(scene.commit), Catch::Contains("approve again"));
  CHECK(scene.ada.tried.size() == 10);
}
