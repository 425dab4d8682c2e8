#include "temporary.hpp"

#include <reconcilers/host/old_runners.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace holdfast;

namespace {

/// A runner that was put there so many hours ago.
std::string put_runner(const TemporaryFolder& root, char letter, int hours) {
  const std::string program = root / ("var/lib/holdfast/bin/" + std::string(64, letter) + "/holdfast-host");
  write_file(program, "a runner");
  std::filesystem::last_write_time(program, std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
  return program;
}

}  // namespace

TEST_CASE("the newest three runners are kept, and those that units start") {
  const TemporaryFolder root;
  const std::string oldest = put_runner(root, 'a', 50);
  const std::string old = put_runner(root, 'b', 40);
  const std::string third = put_runner(root, 'c', 30);
  const std::string second = put_runner(root, 'd', 20);
  const std::string newest = put_runner(root, 'e', 10);
  write_file(root / "var/lib/holdfast/bin/notes/README", "somebody's own");
  std::filesystem::create_symlink(oldest, root / "var/lib/holdfast/bin/recover");

  remove_old_runners(State(root.path()));

  CHECK(std::filesystem::exists(oldest));  // a boot unit starts it
  CHECK_FALSE(std::filesystem::exists(std::filesystem::path(old).parent_path()));
  for (const std::string& kept : {third, second, newest}) CHECK(std::filesystem::exists(kept));
  CHECK(std::filesystem::exists(root / "var/lib/holdfast/bin/notes/README"));
}

TEST_CASE("a host without runners of its own has nothing to take away") {
  const TemporaryFolder root;
  remove_old_runners(State(root.path()));
  CHECK(std::filesystem::is_empty(root.path()));
}
