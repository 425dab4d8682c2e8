#include <manifests/fleet.hpp>
#include <manifests/json.hpp>
#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace holdfast;
using namespace holdfast::test;

namespace {

std::vector<std::string> names_on(const FleetResult& result, const std::string& host) {
  INFO(rendered(result.problems));
  REQUIRE(result.fleet != nullptr);
  std::vector<std::string> names;
  for (const Resource& resource : result.fleet->resources.at(host)) names.push_back(to_text(resource.id));
  return names;
}

void refuses(const FleetResult& result, const std::string& place, const std::string& words) {
  INFO("expected " << place << " " << words << "\n" << rendered(result.problems));
  CHECK(result.fleet == nullptr);
  CHECK(tells(result.problems, place, words));
}

using Names = std::vector<std::string>;

const std::string unit = manifest("SystemdUnit", "app.service", "state: running, loads: [EnvFile/app]");
const std::string env_file = manifest("EnvFile", "app", "path: /opt/app/.env, values: {WORKERS: \"${workers}\"}");

}  // namespace

TEST_CASE("a fleet holds each host's resources in the order of the manifests", "[fleet]") {
  const FleetResult result =
      load({{"deploy/b.yaml", unit},
            {"deploy/a.yaml", env_file + "---\n" + manifest("Package", "nginx", "state: present")}});
  CHECK(names_on(result, "web1") == Names{"EnvFile/app", "Package/nginx", "SystemdUnit/app.service"});
  const Resource& resource = result.fleet->resources.at("web1")[0];
  CHECK(
      to_json(resource.spec) ==
      R"({"mode":"0600","owner":"root","path":"/opt/app/.env","readableBy":"owner","state":"present","values":{"WORKERS":4}})");
  CHECK(resource.folder == "deploy");
  CHECK(to_text(resource.position) == "deploy/a.yaml:1:1");
  CHECK(to_text(resource.at("/spec/path")) == "deploy/a.yaml:4:14");
  CHECK(to_text(resource.at("/spec/mode")) == "deploy/a.yaml:1:1");
  CHECK(result.fleet->resources.at("db1")[0].spec.at("values").at("WORKERS") == Value(8));
  CHECK(result.fleet->environment.name == "production");
}

TEST_CASE("the host and the environment are variables of their own", "[fleet]") {
  const FleetResult result = load_one(manifest("File", "motd", "path: /etc/motd, text: \"${host} in ${environment}\""));
  REQUIRE(result.fleet != nullptr);
  CHECK(result.fleet->resources.at("db1").at(0).spec.at("text") == Value("db1 in production"));
}

TEST_CASE("metadata.hosts selects by name or by labels", "[fleet]") {
  const FleetResult result =
      load_one(manifest("Package", "nginx", "", "hosts: [web1]") + "---\n" +
               manifest("Package", "postgresql", "", "hosts: {role: db}") + "---\n" + manifest("Package", "curl", ""));
  CHECK(names_on(result, "web1") == Names{"Package/nginx", "Package/curl"});
  CHECK(names_on(result, "db1") == Names{"Package/postgresql", "Package/curl"});
}

TEST_CASE("a selector of an unknown host or of no host is refused", "[fleet]") {
  refuses(load_one(manifest("Package", "nginx", "", "hosts: [wbe1]")), "3:33", "did you mean \"web1\"?");
  refuses(load_one(manifest("Package", "nginx", "", "hosts: {role: wbe}")), "3:25", "did you mean \"role: web\"?");
  refuses(load_one(manifest("Package", "nginx", "", "hosts: []")), "3:25", "must not be empty");
}

TEST_CASE("manifests that environments share may name the other's hosts", "[fleet]") {
  const std::string staging =
      "---\napiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: staging}\nspec:\n"
      "  track: {branch: develop}\n  hosts: [{name: stage1, labels: {role: stage}}]\n";
  const Files files = {{"deploy/a.yaml", manifest("Package", "curl", "") + "---\n" +
                                             manifest("Package", "nginx", "", "hosts: [stage1]") + "---\n" +
                                             manifest("Package", "vim", "", "hosts: {role: stage}")}};
  CHECK(names_on(load(files, production + staging), "web1") == Names{"Package/curl"});
}

TEST_CASE("two resources of one name are refused where a host would have both", "[fleet]") {
  const std::string text = manifest("File", "motd", "path: /etc/motd, text: a");
  const FleetResult result = load({{"deploy/a.yaml", text}, {"deploy/b.yaml", text}});
  refuses(result, "3:18", "duplicate resource \"File/motd\"");
  REQUIRE(result.problems.size() == 1);
  CHECK(result.problems[0].where.file == "deploy/b.yaml");
  CHECK(to_text(result.problems[0].also.at(0)) == "deploy/a.yaml:3:18");
  const FleetResult apart = load_one(manifest("File", "motd", "path: /etc/motd, text: a", "hosts: [web1]") + "---\n" +
                                     manifest("File", "motd", "path: /etc/motd, text: b", "hosts: [db1]"));
  CHECK(names_on(apart, "db1") == Names{"File/motd"});
}

TEST_CASE("references must exist on every host that has the resource", "[fleet]") {
  refuses(load_one(unit), "4:32", "reference to \"EnvFile/app\", which does not exist");
  refuses(load_one(manifest("File", "a", "path: /a, text: x", "after: [Fil/b]")), "3:29", "did you mean \"File\"?");
  refuses(load_one(manifest("File", "a", "path: /a, text: x", "after: [file]")), "3:29", "must be a reference");
  refuses(load_one(unit + "---\n" + manifest("EnvFile", "apq", "path: /a")), "4:32", "did you mean \"EnvFile/apq\"?");
  const std::string elsewhere = manifest("EnvFile", "app", "path: /a", "hosts: [db1]");
  refuses(load_one(unit + "---\n" + elsewhere), "4:32", "which host \"web1\" does not have");
}

TEST_CASE("a reference into a file that can't be read is not told as missing", "[fleet]") {
  const FleetResult result = load({{"deploy/a.yaml", unit}, {"deploy/b.yaml", env_file + "  x: [\n"}});
  CHECK(result.fleet == nullptr);
  CHECK_FALSE(tells(result.problems, "", "reference to"));
}

TEST_CASE("a cycle is printed as a path with all its places", "[fleet]") {
  const FleetResult result =
      load_one(manifest("File", "a", "path: /a, text: x", "after: [File/b]") + "---\n" +
               manifest("File", "b", "path: /b, text: x", "after: [SystemdUnit/c.service]") + "---\n" +
               manifest("SystemdUnit", "c.service", "state: running, loads: [File/a]"));
  refuses(result, "3:29", "cycle: File/a -> File/b -> SystemdUnit/c.service -> File/a");
  REQUIRE(result.problems.size() == 1);
  CHECK(result.problems[0].also.size() == 2);
  refuses(load_one(manifest("File", "a", "path: /a, text: x", "after: [File/a]")), "3:29", "cycle: File/a -> File/a");
}

TEST_CASE("a long chain of references is no cycle", "[fleet]") {
  std::string text = manifest("File", "f0", "path: /f0, text: x");
  for (int index = 1; index < 3000; ++index) {
    const std::string number = std::to_string(index);
    text += "---\n" + manifest("File", "f" + number, "path: /f" + number + ", text: x",
                               "after: [File/f" + std::to_string(index - 1) + "]");
  }
  CHECK(names_on(load_one(text), "web1").size() == 3000);
}

TEST_CASE("an environment without anything for any host is refused", "[fleet]") {
  refuses(load({}), "1:1", "no manifest applies to any host");
  const std::string folders = production + "  paths: [deploy/nothing]\n";
  refuses(load({}, folders), "1:1", "\"deploy/nothing\" of the environment \"production\" holds no manifest");
}

TEST_CASE("an environment applies its folders only, whatever the fleet's folder is", "[fleet]") {
  const std::string folders = production + "  paths: [deploy/common, other]\n";
  const FleetResult result = load({{"deploy/common/a.yaml", manifest("Package", "curl", "")},
                                   {"deploy/web/b.yaml", "broken: ["},
                                   {"other/c.yaml", manifest("Package", "vim", "")}},
                                  folders);
  CHECK(names_on(result, "web1") == Names{"Package/curl", "Package/vim"});
}

TEST_CASE("what a variable's value breaks is told with the host", "[fleet]") {
  const FleetResult result = load_one(manifest("SystemdUnit", "a.service", "enabled: \"${workers}\""));
  refuses(result, "4:17", "must be true or false, not the integer 4 (on host \"web1\")");
  refuses(result, "4:17", "not the integer 8 (on host \"db1\")");
}

TEST_CASE("a host has at most 20,000 resources", "[fleet]") {
  Files files;
  int number = 0;
  for (int file = 0; file < 21; ++file) {
    std::string text;
    for (int index = 0; index < 1000; ++index)
      text += "---\napiVersion: holdfast.dev/v1\nkind: Package\nmetadata: {name: p" + std::to_string(number++) +
              "}\nspec: {}\n";
    files.emplace_back("deploy/f" + std::to_string(file) + ".yaml", text);
  }
  refuses(load(files), "1:1", "has 21000 resources");
}

TEST_CASE("a thousand hosts cost little more than one", "[fleet]") {
  std::string environment =
      "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: big}\nspec:\n  track: {branch: main}\n  "
      "hosts:\n";
  for (int host = 0; host < 1000; ++host) environment += "    - {name: h" + std::to_string(host) + "}\n";
  std::string text;
  for (int index = 0; index < 40; ++index) {
    const std::string name = "f" + std::to_string(index);
    text += "---\n" +
            manifest("File", name, "path: /etc/" + name + ", text: \"" + (index % 4 == 0 ? "${host}" : "same") + "\"");
  }
  const auto begin = std::chrono::steady_clock::now();
  const FleetResult result = load({{"deploy/a.yaml", text}}, environment);
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  CHECK(names_on(result, "h999").size() == 40);
  CHECK(result.fleet->resources.at("h7").at(4).spec.at("text") == Value("h7"));
  WARN("1000 hosts with 40 resources loaded in " << seconds << " s");
  CHECK(seconds < 60);
}
