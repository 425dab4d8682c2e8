#include <controller/cli/basic_commands.hpp>
#include <controller/cli/starter.hpp>
#include <controller/cli/tree_check.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace holdfast;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

namespace fs = std::filesystem;

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (fs::temp_directory_path() / "holdfast-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void write(const std::string& path, const std::string& bytes) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string read(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

/// What a command printed, and its exit code.
struct Ran {
  int code = -1;
  std::string out{};
};

Ran validate(const std::string& folder, bool json = false) {
  std::ostringstream out;
  const int code = validate_command(folder, json, out);
  return {code, out.str()};
}

constexpr const char* environment = R"(apiVersion: holdfast.dev/v1
kind: Environment
metadata: {name: staging}
spec:
  track: {branch: main}
  paths: [deploy/web]
  hosts: [{name: web1, address: 192.0.2.11}]
)";

std::string file(const std::string& name, const std::string& spec) {
  return "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: " + name + "}\nspec: " + spec + "\n";
}

TreeCheck check(std::vector<std::pair<std::string, std::string>> files) {
  files.emplace_back("deploy/environment.yaml", environment);
  return check_tree(MemoryTree(std::move(files)), {});
}

/// Runs a program that must do its work; its output is not shown.
void run(const std::string& command) { REQUIRE(std::system((command + " > /dev/null 2>&1").c_str()) == 0); }

}  // namespace

TEST_CASE("what init writes is valid", "[cli]") {
  const TempFolder folder;
  std::ostringstream out;
  CHECK(init_command(folder / "fleet", out) == 0);
  CHECK_THAT(out.str(), Contains("wrote ") && Contains("holdfast plan staging"));
  const Ran validated = validate(folder / "fleet");
  CHECK(validated.out == "7 manifests, 2 environments, 3 hosts: valid\n");
  CHECK(validated.code == 0);
  CHECK_THAT(read(folder / "fleet/holdfast.yaml"), Contains("url: \"" + (folder / "fleet") + "\""));
}

TEST_CASE("init writes over nothing", "[cli]") {
  const TempFolder folder;
  write(folder / "fleet/deploy/hello/hello.yaml", "mine");
  std::ostringstream out;
  CHECK_THROWS_WITH(init_command(folder / "fleet", out),
                    Contains("hello.yaml\" is there already: nothing was written"));
  CHECK(read(folder / "fleet/deploy/hello/hello.yaml") == "mine");
  CHECK_FALSE(fs::exists(folder / "fleet/README.md"));

  SECTION("nor through a link that leads nowhere") {
    fs::create_directories(folder / "linked");
    fs::create_symlink(folder / "elsewhere", folder / "linked/README.md");
    CHECK_THROWS_AS(init_command(folder / "linked", out), Error);
    CHECK_FALSE(fs::exists(folder / "elsewhere"));
  }
  SECTION("but beside what was there") {
    write(folder / "other/src/main.py", "mine");
    CHECK(init_command(folder / "other/", out) == 0);
    CHECK(validate(folder / "other").code == 0);
  }
}

TEST_CASE("validate tells every problem of the whole tree, sorted, once each", "[cli]") {
  const TempFolder folder;
  write(folder / "deploy/environment.yaml", environment);
  write(folder / "deploy/web/b.yaml", file("b", "{path: relative, text: x}"));
  write(folder / "deploy/web/a.yaml",
        file("a", "{path: /etc/a, txt: x}") + "---\n" + file("c", "{path: /etc/c, mode: 9}"));
  const Ran found = validate(folder / "");
  CHECK(found.code == 1);
  CHECK_THAT(found.out, StartsWith("deploy/web/a.yaml:4:"));
  CHECK_THAT(found.out, Contains("\"txt\"") && Contains("deploy/web/b.yaml:4:"));
  CHECK(found.out.find("b.yaml:4") == found.out.rfind("b.yaml:4"));
  CHECK(found.out.find("a.yaml") < found.out.find("b.yaml"));
  CHECK_THAT(found.out, EndsWith(" problems\n"));
}

TEST_CASE("a problem that several environments have is told once", "[cli]") {
  const TreeCheck found = check({{"deploy/production.yaml",
                                  "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: production}\n"
                                  "spec: {track: {branch: live}, paths: [deploy/web], hosts: [{name: web2}]}\n"},
                                 {"deploy/web/a.yaml", file("a", "{path: \"/etc/${host}\", txt: x}")}});
  CHECK(found.environments == 2);
  CHECK(found.hosts == 2);
  REQUIRE(found.problems.size() == 1);
  CHECK_THAT(found.problems[0].what, Contains("unknown key \"txt\""));
}

TEST_CASE("validate as JSON is one record", "[cli]") {
  const TempFolder folder;
  write(folder / "deploy/environment.yaml", environment);
  write(folder / "deploy/web/a.yaml", file("a", "{path: /etc/a, text: x}"));
  const Ran good = validate(folder / "", true);
  CHECK(good.code == 0);
  CHECK(from_json(good.out) ==
        Value(Map{{"valid", true}, {"manifests", 2}, {"environments", 1}, {"hosts", 1}, {"problems", List{}}}));
  write(folder / "deploy/web/b.yaml", "kind: [");
  const Ran bad = validate(folder / "", true);
  CHECK(bad.code == 1);
  const Value record = from_json(bad.out);
  CHECK_FALSE(record.at("valid").as_bool());
  CHECK(record.at("problems").as_list().at(0).at("file") == Value("deploy/web/b.yaml"));
}

TEST_CASE("validate goes down to the primitives", "[cli]") {
  CHECK(check({{"deploy/web/a.yaml", file("a", "{path: /etc/a, text: x}")}}).problems.empty());
  const TreeCheck twice = check({{"deploy/web/a.yaml", file("a", "{path: /etc/a, text: x}")},
                                 {"deploy/web/b.yaml", file("b", "{path: /etc/a, text: z}")}});
  REQUIRE(twice.problems.size() == 1);
  CHECK_THAT(twice.problems[0].what, Contains("/etc/a"));
  const TreeCheck source = check({{"deploy/web/a.yaml", file("a", "{path: /etc/a, source: files/none}")}});
  REQUIRE(source.problems.size() == 1);
  CHECK_THAT(source.problems[0].what, Contains("files/none"));
}

TEST_CASE("what is wrong with one resource hides nothing that is wrong with another", "[cli]") {
  const TempFolder folder;
  const std::string head = "apiVersion: holdfast.dev/v1\n";
  write(folder / "a.yaml",
        head + "kind: File\nmetadata: {name: a}\nspec: {path: /etc/a, text: x, mode: 644}\n---\n" + head +
            "kind: SystemdUnit\nmetadata: {name: b.servise}\nspec: {text: \"[Service]\\n\", state: runing}\n");
  write(folder / "b.yaml", head + "kind: File\nmetadata: {name: b}\nspec: {path: /etc/a, text: z}\n---\n" + head +
                               "kind: EnvFile\nmetadata: {name: c}\nspec: {path: /etc/c, values: {\"A B\": \"1\"}}\n");
  const Ran found = validate(folder / "");
  CHECK_THAT(found.out, Contains("a.yaml:4:37: \"spec.mode\"") && Contains("a.yaml:9:36") &&
                            Contains("a.yaml:8:18: \"b.servise\" must be the full name of a unit") &&
                            Contains("b.yaml:4:14: \"/etc/a\" is managed twice") &&
                            Contains("b.yaml:9:38: \"A B\" is no name of a variable"));
  CHECK_THAT(found.out, EndsWith("5 problems\n"));
}

TEST_CASE("a member that is wrong is not told as one that is missing too", "[cli]") {
  const TempFolder folder;
  write(
      folder / "a.yaml",
      "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: a}\nspec: {path: /etc/a, source: ../../etc/shadow}\n");
  CHECK_THAT(validate(folder / "").out, EndsWith("1 problem\n"));
}

TEST_CASE("validate takes a release of another repository as it is written, and looks for folders of this one",
          "[cli]") {
  const auto release = [](const std::string& spec) {
    return check({{"deploy/web/a.yaml",
                   "apiVersion: holdfast.dev/v1\nkind: Release\nmetadata: {name: cvd}\nspec: {path: /opt/cvd/app, " +
                       spec + "}\n"},
                  {"src/app.py", "print(1)\n"}});
  };
  CHECK(release("source: self, folder: src").problems.empty());
  CHECK(release("source: \"https://git.example.com/cvd.git\", revision: {tag: v1.4.2}").problems.empty());
  CHECK(release("source: self, folder: nowhere").problems.size() == 1);
  CHECK(release("source: \"--upload-pack=evil\", revision: {tag: v1.4.2}").problems.size() == 1);
}

TEST_CASE("validate refuses a health check that can't work", "[cli]") {
  const TreeCheck found = check({{"deploy/web/a.yaml",
                                  "apiVersion: holdfast.dev/v1\nkind: HealthCheck\nmetadata: {name: web}\n"
                                  "spec: {http: {url: \"http://127.0.0.1/\", body: {matches: \"(a\"}}}\n"}});
  REQUIRE(found.problems.size() == 1);
  CHECK_THAT(found.problems[0].what, Contains("pattern \"(a\" is not valid"));
  CHECK(found.problems[0].where.file == "deploy/web/a.yaml");
  CHECK_THAT(found.problems[0].line_text, StartsWith("spec: {http:"));
}

TEST_CASE("manifests that no environment applies are read too", "[cli]") {
  const auto unapplied = [](const std::string& text) {
    return check({{"deploy/old/a.yaml", text}, {"deploy/web/good.yaml", file("good", "{path: /etc/good, text: x}")}});
  };
  CHECK(unapplied(file("a", "{path: /etc/a, text: x}")).problems.empty());
  CHECK(unapplied(file("a", "{path: /etc/a, text: x}")).manifests == 3);
  CHECK(unapplied(file("a", "{path: /etc/a, mode: \"${mode}\", text: x}")).problems.empty());
  CHECK(unapplied(file("a", "{path: /etc/a, mod: \"0644\", text: x}")).problems.size() == 1);
  CHECK_FALSE(unapplied("a: [").problems.empty());
  CHECK(unapplied("apiVersion: holdfast.dev/v1\nkind: Fil\nmetadata: {name: x}\nspec: {}\n").problems.at(0).hint ==
        "did you mean \"File\"?");
}

TEST_CASE("a tree without environments says what was not checked", "[cli]") {
  const TempFolder folder;
  write(folder / "deploy/web/a.yaml", file("a", "{path: /etc/a, text: x}"));
  const Ran found = validate(folder / "");
  CHECK(found.code == 0);
  CHECK_THAT(found.out,
             StartsWith("1 manifest, 0 environments, 0 hosts: valid\n") && Contains("there is no Environment"));
}

TEST_CASE("manifests without an environment are checked together all the same", "[cli]") {
  const auto alone = [](const std::string& text) {
    return check_tree(MemoryTree({{"deploy/a.yaml", text}}), {}).problems;
  };
  const std::string one = file("a", "{path: /etc/a, text: x}") + "---\n";
  CHECK(alone(one + file("b", "{path: /etc/b, text: \"${greeting}\", mode: \"${mode}\"}")).empty());
  CHECK(alone(one + file("a", "{path: /etc/b, text: x}")).size() == 1);
  CHECK(alone(one + file("b", "{path: /etc/a, text: x}")).size() == 1);
  CHECK(alone(one + file("b, after: [File/none]", "{path: /etc/b, text: x}")).size() == 1);
  CHECK(alone(one + file("b, hosts: [web1]", "{path: /etc/b, text: x}")).empty());
  CHECK(alone(one + file("b, hosts: {role: web}", "{path: /etc/a, text: x}")).size() == 1);
}

TEST_CASE("validate --rev reads a commit, not the folder", "[cli]") {
  const TempFolder folder;
  const std::string fleet = folder / "fleet";
  write(fleet + "/deploy/environment.yaml", environment);
  write(fleet + "/deploy/web/a.yaml", file("a", "{path: /etc/a, text: x}"));
  const std::string git = "git -C " + fleet + " -c user.name=a -c user.email=a@example.com ";
  run("git init -q -b main " + fleet);
  run(git + "add .");
  run(git + "commit -q -m good");
  run(git + "tag good");
  write(fleet + "/deploy/web/a.yaml", file("a", "{path: relative, text: x}"));
  run(git + "commit -q -a -m bad");
  write(fleet + "/deploy/web/a.yaml", "not committed: [");

  MirrorOptions options;
  options.fetch_program = {HOLDFAST_FETCH_HELPER};
  const auto revision = [&](const std::string& name) {
    std::ostringstream out;
    const int code = validate_revision_command({.url = fleet}, {}, name, false, out, options);
    return Ran{code, out.str()};
  };
  CHECK(revision("good").out == "2 manifests, 1 environment, 1 host: valid\n");
  const Ran bad = revision("main");
  CHECK(bad.code == 1);
  CHECK_THAT(bad.out, StartsWith("deploy/web/a.yaml:4:") && EndsWith("1 problem\n"));
  CHECK_THROWS_WITH(revision("none"), Contains("no commit, branch or tag \"none\""));
}

TEST_CASE("explain lists the kinds, and tells of a kind or a field of it", "[cli]") {
  const auto explained = [](const std::string& topic) {
    std::ostringstream out;
    const int code = explain_command(topic, false, out);
    CHECK(code == 0);
    return out.str();
  };
  CHECK_THAT(explained(""), Contains("SystemdUnit") && Contains("Environment"));
  CHECK_THAT(explained("File"), Contains("mode") && Contains("validate"));
  CHECK_THAT(explained("SystemdUnit.health.http"), Contains("certificateDays"));
  CHECK_THROWS_WITH(explained("Fil"), Contains("File"));
  CHECK_THROWS_AS(explained("File.spec.mood"), Error);
}
