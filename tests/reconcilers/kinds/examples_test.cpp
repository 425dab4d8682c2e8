#include "lowered_host.hpp"

#include <reconcilers/kinds/kind.hpp>

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace holdfast;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE(stream.good());
  return {std::istreambuf_iterator<char>(stream), {}};
}

Files shared_files(const std::filesystem::path& folder) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "files")) {
    files.emplace_back("deploy/files/" + entry.path().filename().string(), read_file(entry.path()));
  }
  return files;
}

}  // namespace

TEST_CASE("every kind has an example that holds for a host", "[kinds][examples]") {
  const std::filesystem::path folder = HOLDFAST_EXAMPLES;
  std::set<std::string> shown;
  for (const std::string kind : {HOLDFAST_KIND_NAMES}) {
    const LoweredHost host = lower_host(read_file(folder / (kind + ".yaml")), shared_files(folder));
    INFO(kind << ":\n" << host.report());
    CHECK(host.problems.empty());
    CHECK(host.lowered.bundle.wanted.size() + host.lowered.checks.size() > 0);
    for (const Wanted& wanted : host.lowered.bundle.wanted) shown.insert(wanted.origin.resource);
    for (const Check& check : host.lowered.checks) shown.insert(check.origin.resource);
  }
  for (const Kind& kind : resource_kinds()) {
    const auto of_kind = shown.lower_bound(std::string(kind.name) + "/");
    INFO(kind.name);
    CHECK((of_kind != shown.end() && of_kind->starts_with(std::string(kind.name) + "/")));
  }
}
