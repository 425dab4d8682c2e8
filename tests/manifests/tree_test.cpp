#include <manifests/error.hpp>
#include <manifests/fleet.hpp>
#include <manifests/tree.hpp>
#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>

using namespace holdfast;

namespace {

/// A folder that is removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-tree-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }

 private:
  std::filesystem::path path_;
};

std::vector<std::string> paths_of(const std::vector<TreeEntry>& entries) {
  std::vector<std::string> paths;
  for (const TreeEntry& entry : entries) paths.push_back(entry.path);
  return paths;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("a folder is listed sorted, by path, without hidden files", "[tree]") {
  const TemporaryFolder folder;
  folder.write("b/x.yaml", "1");
  folder.write("a.yaml", "22");
  folder.write(".git/config", "no");
  const DirectoryTree tree(folder.path().string());
  const std::vector<TreeEntry> all = tree.list("");
  CHECK(paths_of(all) == Paths{"a.yaml", "b/x.yaml"});
  CHECK(all[0].size == 2);
  CHECK(paths_of(tree.list("b")) == Paths{"b/x.yaml"});
  CHECK(tree.list("nothing").empty());
  CHECK(tree.list("../x").empty());
}

TEST_CASE("reading never leaves the folder and never follows a link", "[tree]") {
  const TemporaryFolder folder;
  folder.write("inside/a.yaml", "text");
  folder.write("outside", "secret");
  std::filesystem::create_symlink("../outside", folder.path() / "inside/link.yaml");
  std::filesystem::create_directory_symlink(folder.path(), folder.path() / "inside/up");
  const DirectoryTree tree((folder.path() / "inside").string());
  CHECK(tree.read("a.yaml", 100) == "text");
  CHECK_FALSE(tree.read("link.yaml", 100));
  CHECK_FALSE(tree.read("../outside", 100));
  CHECK_FALSE(tree.read("up/outside", 100));
  CHECK_FALSE(tree.read("/etc/hostname", 100));
  CHECK_FALSE(tree.read("nothing", 100));
  CHECK_THROWS_AS(tree.read("a.yaml", 3), Error);
  CHECK(tree.list("up").empty());
  const std::vector<TreeEntry> entries = tree.list("");
  REQUIRE(entries.size() == 3);
  CHECK(entries[1].type == EntryType::symlink);
}

TEST_CASE("a folder that does not exist can't be a tree", "[tree]") {
  CHECK_THROWS_AS(DirectoryTree("/nonexistent/folder"), Error);
}

TEST_CASE("manifests are the YAML files of the fleet's folder that are no content", "[tree]") {
  const MemoryTree tree({{"deploy/a.yaml", ""},
                         {"deploy/b/c.yml", ""},
                         {"deploy/files/x.yaml", ""},
                         {"deploy/.hidden/y.yaml", ""},
                         {"deploy/note.txt", ""},
                         {"other.yaml", ""}});
  CHECK(manifest_paths(tree, {}) == Paths{"deploy/a.yaml", "deploy/b/c.yml"});
  CHECK(manifest_paths(tree, {"deploy/b"}) == Paths{"deploy/b/c.yml"});
  CHECK(manifest_paths(MemoryTree({{"x.yaml", ""}, {"files/y.yaml", ""}}), {}) == Paths{"x.yaml"});
}

TEST_CASE("a symbolic link among manifests is refused", "[tree]") {
  const TemporaryFolder folder;
  folder.write("deploy/env.yaml", test::production);
  folder.write("deploy/a.yaml", test::manifest("File", "motd", "path: /etc/motd, text: hi"));
  std::filesystem::create_symlink("a.yaml", folder.path() / "deploy/b.yaml");
  const DirectoryTree tree(folder.path().string());
  const EnvironmentsResult environments = load_environments(tree, {});
  CHECK(environments.problems.size() == 1);
  CHECK(environments.problems.at(0).where.file == "deploy/b.yaml");
  CHECK(environments.problems.at(0).what.find("symbolic link") != std::string::npos);
  const FleetResult fleet = load_fleet(tree, environments.environments.at(0), {});
  CHECK(fleet.fleet == nullptr);
}

TEST_CASE("manifests whose paths differ in case only are refused", "[tree]") {
  const std::string text = test::manifest("File", "motd", "path: /etc/motd, text: hi");
  const FleetResult fleet = test::load({{"deploy/A.yaml", text}, {"deploy/a.yaml", text}});
  CHECK(test::tells(fleet.problems, "", "upper and lower case only"));
}
