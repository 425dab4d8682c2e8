#include <reconcilers/failpoint.hpp>

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace holdfast;

namespace {

void first_place() { HOLDFAST_FAILPOINT("test.first"); }
void second_place() { HOLDFAST_FAILPOINT("test.second"); }

/// A folder for the file that says what is to happen.
class Script {
 public:
  explicit Script(const std::string& text) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    std::ofstream(path()) << text;
    set_failpoint_file(path(), "tester");
  }
  ~Script() {
    set_failpoint_file("", "");
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string path() const { return folder_ + "/failpoints"; }
  [[nodiscard]] std::string text(const std::string& more = "") const {
    std::ostringstream text;
    text << std::ifstream(path() + more).rdbuf();
    return text.str();
  }

 private:
  std::string folder_ =
      std::filesystem::temp_directory_path().string() + "/failpoint-test-" + std::to_string(::getpid());
};

}  // namespace

TEST_CASE("every failpoint of the program is found, whether it was hit or not") {
  const std::vector<std::string> names = failpoint_names();
  CHECK(std::ranges::count(names, "test.first") == 1);
  CHECK(std::ranges::count(names, "test.second") == 1);
  CHECK(std::ranges::is_sorted(names));
}

TEST_CASE("a line fails the hit that it names, once") {
  const Script script("test.second#2 error:ENOSPC\n");
  first_place();
  second_place();
  CHECK_THROWS_WITH(second_place(), "failpoint test.second: No space left on device (ENOSPC)");
  CHECK(script.text().empty());
  CHECK(script.text(".hit") == "tester test.second\n");
  second_place();
}

TEST_CASE("a star counts the hits of all points from the start of the process, and another role is not meant") {
  const Script script("other:* error:EIO\n*#3 error:EIO\n");
  const pid_t child = ::fork();
  if (child == 0) {
    set_failpoint_file(script.path(), "tester");  // counts from here on
    first_place();
    second_place();
    try {
      first_place();
    } catch (const Error&) {
      ::_exit(3);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 3);
  CHECK(script.text() == "other:* error:EIO\n");
}

TEST_CASE("a trace tells every hit and stays") {
  const Script script("* trace\n");
  first_place();
  second_place();
  first_place();
  const std::string id = " " + std::to_string(::getpid()) + "\n";
  CHECK(script.text(".trace") == "tester test.first" + id + "tester test.second" + id + "tester test.first" + id);
  CHECK(script.text() == "* trace\n");
}

TEST_CASE("kill ends the process at that line, and its next start goes on") {
  const Script script("test.first kill\n");
  const pid_t child = ::fork();
  if (child == 0) {
    first_place();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  first_place();
}

TEST_CASE("wait stands still until it is told to go on") {
  const Script script("test.first wait\n");
  const pid_t child = ::fork();
  if (child == 0) {
    first_place();
    ::_exit(0);
  }
  for (int i = 0; i < 1000 && script.text(".hit").empty(); ++i) ::usleep(10'000);
  int status = 0;
  CHECK(::waitpid(child, &status, WNOHANG) == 0);
  std::ofstream(script.path() + ".go") << "";
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
}

TEST_CASE("a hook is called in place of the file") {
  std::vector<std::string> seen;
  set_failpoint_hook([&](const char* name) { seen.emplace_back(name); });
  first_place();
  second_place();
  set_failpoint_hook({});
  first_place();
  CHECK(seen == std::vector<std::string>{"test.first", "test.second"});
}
