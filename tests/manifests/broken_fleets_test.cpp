#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::test;

namespace {

struct Broken {
  const char* name;
  std::string text;
  const char* place;
  const char* words;
};

std::string spec(const std::string& kind, const std::string& body) { return manifest(kind, "x", body); }

const std::vector<Broken> broken = {
    {"tab in the indentation", "apiVersion: holdfast.dev/v1\nkind: File\nspec:\n\tpath: /x\n", "4:1",
     "tab in the indentation"},
    {"unclosed quote", "apiVersion: holdfast.dev/v1\nkind: File\nspec:\n  path: \"/x\n  text: a\n", "4:9",
     "unclosed quote"},
    {"duplicate key", "apiVersion: holdfast.dev/v1\nkind: Package\nmetadata: {name: x}\nkind: File\nspec: {}\n", "4:1",
     "duplicate key \"kind\""},
    {"alias", "apiVersion: holdfast.dev/v1\nkind: &k File\nmetadata: {name: *k}\n", "2:7", "anchors are not allowed"},
    {"tag", spec("File", "path: !!str /x"), "4:14", "tags are not allowed"},
    {"empty file", "", "1:1", "holds no manifest"},
    {"no manifest", "services: {web: {image: nginx}}\n", "1:1", "neither apiVersion nor kind"},
    {"no kind", "apiVersion: holdfast.dev/v1\nspec: {}\n", "1:1", "lacks the key \"kind\""},
    {"unknown kind", spec("Pacakge", ""), "2:7", "unknown kind \"Pacakge\": did you mean \"Package\"?"},
    {"settings in a fleet", spec("Controller", ""), "2:7", "don't belong in a fleet"},
    {"kind is no text", "apiVersion: holdfast.dev/v1\nkind: [File]\n", "2:1", "\"kind\" must be a text"},
    {"wrong version", "apiVersion: holdfast.dev/v2\nkind: Package\nmetadata: {name: x}\nspec: {}\n", "1:13",
     "must be \"holdfast.dev/v1\", not \"holdfast.dev/v2\""},
    {"no metadata", "apiVersion: holdfast.dev/v1\nkind: Package\nspec: {}\n", "1:1", "lacks the key \"metadata\""},
    {"no spec", "apiVersion: holdfast.dev/v1\nkind: Package\nmetadata: {name: x}\n", "1:1", "lacks the key \"spec\""},
    {"no name", "apiVersion: holdfast.dev/v1\nkind: Package\nmetadata: {}\nspec: {}\n", "3:1",
     "\"metadata\" lacks the key \"name\""},
    {"unknown key beside spec", "apiVersion: holdfast.dev/v1\nkind: Package\nmetadata: {name: x}\nspecs: {}\n", "4:1",
     "did you mean \"spec\"?"},
    {"unknown key in metadata", manifest("Package", "x", "", "namespace: y"), "3:21",
     "unknown key \"namespace\" in \"metadata\""},
    {"a shell in the name", manifest("Package", "\"x; rm -rf /\"", ""), "3:18", "must be letters"},
    {"a line end in the name", manifest("Package", "\"x\\ny\"", ""), "3:18", "must be letters"},
    {"an option as a name", manifest("Package", "-y", ""), "3:18", "must be letters"},
    {"letters that look alike", manifest("Package", "\"a\xCC\x88\"", ""), "3:18", "must be letters"},
    {"unknown key", spec("File", "path: /x, modee: \"0644\""), "4:18",
     "unknown key \"modee\" in \"spec\": did you mean \"mode\"?"},
    {"missing key", spec("File", "text: x"), "4:1", "\"spec\" lacks the key \"path\""},
    {"misspelt required key", spec("File", "pth: /x, text: y"), "4:1", "is \"pth\" meant to be it?"},
    {"relative path", spec("File", "path: etc/motd"), "4:14", "must be an absolute path"},
    {"path that climbs", spec("File", "path: /srv/../etc/shadow"), "4:14", "must be an absolute path"},
    {"path with two slashes", spec("Directory", "path: /srv//x/"), "4:14", "write \"/srv/x\""},
    {"source that climbs", spec("File", "path: /x, source: ../../etc/shadow"), "4:26", "stays in its folder"},
    {"absolute source", spec("File", "path: /x, source: /etc/shadow"), "4:26", "stays in its folder"},
    {"octal mode", spec("File", "path: /x, mode: 0644"), "4:24", "\"0644\" without quotes"},
    {"decimal mode", spec("File", "path: /x, mode: 644"), "4:24", "quoted octal mode"},
    {"mode in letters", spec("File", "path: /x, mode: rw-r--r--"), "4:24", "must be a quoted octal mode"},
    {"setuid", spec("File", "path: /x, mode: \"4755\""), "4:24", "setuid"},
    {"world writable", spec("File", "path: /x, mode: \"0666\""), "4:24", "let everyone write"},
    {"yes", spec("File", "path: /x, sensitive: yes"), "4:29", "or true"},
    {"quoted boolean", spec("File", "path: /x, sensitive: \"true\""), "4:29", "must be true or false"},
    {"version as a number", spec("Package", "version: 1.10"), "4:17", "write \"1.10\" in quotes"},
    {"blank value", spec("File", "path: "), "4:8", "\"path\" has no value"},
    {"enum", spec("Package", "state: installed"), "4:15", "must be \"present\" or \"absent\", not \"installed\""},
    {"nearest of an enum", spec("Package", "state: absnt"), "4:15", "did you mean \"absent\"?"},
    {"list for a text", spec("File", "path: [/x]"), "4:8", "must be a text, not a list"},
    {"text for a list", spec("User", "groups: adm"), "4:16", "write a list: [\"adm\"]"},
    {"map for a list", spec("User", "groups: {adm: true}"), "4:8", "must be a list, not a map"},
    {"spec is a list", "apiVersion: holdfast.dev/v1\nkind: Package\nmetadata: {name: x}\nspec: [a]\n", "4:1",
     "\"spec\" must be a map"},
    {"number too large", spec("User", "uid: 4294967295"), "4:13", "must be between 1 and 4294967293"},
    {"negative number", spec("User", "uid: -1"), "4:13", "must be between 1"},
    {"fraction for an integer", spec("User", "uid: 1.5"), "4:13", "must be an integer, not the number 1.5"},
    {"text for an integer", spec("User", "uid: \"990\""), "4:13", "take the quotes away"},
    {"overflow", spec("User", "uid: 99999999999999999999"), "4:13", "out of range"},
    {"infinity", spec("User", "uid: .inf"), "4:13", "not a finite number"},
    {"item twice", spec("User", "groups: [adm, adm]"), "4:22", "is there twice"},
    {"bad package", spec("Package", "name: \"nginx; reboot\""), "4:14", "name of a Debian package"},
    {"undefined variable", spec("File", "path: /x, text: \"${domian}\""), "4:25", "did you mean \"domain\"?"},
    {"unclosed variable", spec("File", "path: /x, text: \"a ${domain\""), "4:27", "unclosed"},
    {"two checks in one", spec("HealthCheck", "tcp: {address: \"127.0.0.1:1\"}, unit: {name: x.service}"), "4:1",
     "exactly one of the keys"},
    {"deadline of years", spec("HealthCheck", "tcp: {address: \"127.0.0.1:1\", within: 3650d}"), "4:46",
     "must be between"},
    {"missing reference", manifest("Package", "x", "", "after: [Package/y]"), "3:29", "which does not exist"},
    {"unknown host", manifest("Package", "x", "", "hosts: [web9]"), "3:29", "unknown host \"web9\""},
};

}  // namespace

TEST_CASE("every broken fleet is refused with its place and what to do", "[broken]") {
  CHECK(broken.size() >= 40);
  for (const Broken& each : broken) {
    DYNAMIC_SECTION(each.name) {
      const FleetResult result = load_one(each.text);
      INFO("expected " << each.place << " " << each.words << "\n" << rendered(result.problems));
      CHECK(result.fleet == nullptr);
      CHECK(tells(result.problems, each.place, each.words));
      CHECK(result.problems.size() <= 3);
    }
  }
}

TEST_CASE("the problems of all files are told in one go, sorted and with their lines", "[broken]") {
  Files files;
  for (std::size_t index = 0; index < broken.size(); ++index) {
    files.emplace_back("deploy/" + std::to_string(index) + ".yaml", broken[index].text);
  }
  const FleetResult result = load(files);
  CHECK(result.fleet == nullptr);
  CHECK(result.problems.size() >= broken.size());
  CHECK(std::is_sorted(result.problems.begin(), result.problems.end(),
                       [](const Problem& left, const Problem& right) { return left.where < right.where; }));
  std::size_t with_line = 0;
  for (const Problem& problem : result.problems) with_line += problem.line_text.empty() ? 0 : 1;
  CHECK(with_line + 1 >= result.problems.size());  // the empty file has no line
}
