// The state file while the disk fails: a file system under SQLite in which the k-th write, sync, truncation, removal or
// opening fails or is the last thing that the process does, for every k of a course of calls.
#include <controller/store/store.hpp>

#include <manifests/error.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

using namespace holdfast;

namespace {

enum class Fault { none, full, broken, kill };

struct Disk {
  Fault fault = Fault::none;
  int at = 0;     // the operation that fails, from 1
  int count = 0;  // operations so far
};
Disk disk;
sqlite3_vfs* under = nullptr;

/// What the operation gives instead of being done; SQLITE_OK: it is done.
int struck(int when_broken) {
  if (disk.fault == Fault::none || ++disk.count != disk.at) return SQLITE_OK;
  if (disk.fault == Fault::kill) ::_exit(9);
  return disk.fault == Fault::full ? SQLITE_FULL : when_broken;
}

struct File {
  sqlite3_file base;
  sqlite3_file* real;
};
sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

int f_close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
int f_read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) { return real(f)->pMethods->xRead(real(f), to, n, at); }
int f_write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  const int code = struck(SQLITE_IOERR_WRITE);
  return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), from, n, at);
}
int f_truncate(sqlite3_file* f, sqlite3_int64 size) {
  const int code = struck(SQLITE_IOERR_TRUNCATE);
  return code != SQLITE_OK ? code : real(f)->pMethods->xTruncate(real(f), size);
}
int f_sync(sqlite3_file* f, int flags) {
  const int code = struck(SQLITE_IOERR_FSYNC);
  return code != SQLITE_OK ? code : real(f)->pMethods->xSync(real(f), flags);
}
int f_size(sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); }
int f_lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int f_unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int f_reserved(sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
int f_control(sqlite3_file* f, int op, void* arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); }
int f_sector(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int f_traits(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }

const sqlite3_io_methods methods = {1,       f_close,  f_read,     f_write,   f_truncate, f_sync,   f_size,
                                    f_lock,  f_unlock, f_reserved, f_control, f_sector,   f_traits, nullptr,
                                    nullptr, nullptr,  nullptr,    nullptr,   nullptr};

int v_open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* f, int flags, int* out) {
  f->pMethods = nullptr;
  const int code = struck(SQLITE_CANTOPEN);
  if (code != SQLITE_OK) return code;
  auto* file = reinterpret_cast<File*>(f);
  file->real = reinterpret_cast<sqlite3_file*>(file + 1);
  const int opened = under->xOpen(under, name, file->real, flags, out);
  if (opened == SQLITE_OK) file->base.pMethods = &methods;
  return opened;
}
int v_delete(sqlite3_vfs* /*vfs*/, const char* name, int sync) {
  const int code = struck(SQLITE_IOERR_DELETE);
  return code != SQLITE_OK ? code : under->xDelete(under, name, sync);
}

/// From now on every database of this process is on the disk that fails.
void put_faulty_disk() {
  static sqlite3_vfs faulty;
  if (under != nullptr) return;
  under = sqlite3_vfs_find(nullptr);
  faulty = *under;
  faulty.zName = "faulty";
  faulty.szOsFile = static_cast<int>(sizeof(File)) + under->szOsFile;
  faulty.xOpen = v_open;
  faulty.xDelete = v_delete;
  REQUIRE(sqlite3_vfs_register(&faulty, 1) == SQLITE_OK);
}

/// One call of the course, and what must be true of the file once it has returned.
struct Call {
  std::function<void(Store&)> make;
  std::function<bool(Store&)> holds;
};

Deployment deployment(const std::string& host, const std::string& id) {
  Deployment d;
  d.environment = "staging";
  d.host = host;
  d.transaction = id;
  d.commit = std::string(40, 'a');
  d.plan = std::string(9'000, 'p');  // more than a page
  d.begun_ms = 1000;
  return d;
}

std::vector<Call> course() {
  std::vector<Call> calls;
  calls.push_back({[](Store& s) { s.begin_deployment(deployment("a", "t-first-0001")); },
                   [](Store& s) { return s.deployment(1) && s.deployment(1)->plan.size() == 9'000; }});
  calls.push_back({[](Store& s) { s.next_epoch(); }, [](Store&) { return true; }});
  calls.push_back(
      {[](Store& s) { s.put_host({.environment = "staging", .host = "a", .state = "converged", .live_bundle = "b"}); },
       [](Store& s) { return s.host("staging", "a") && s.host("staging", "a")->live_bundle == "b"; }});
  calls.push_back({[](Store& s) {
                     s.put_hold({"staging", "a", "digest", "commit", "why", 5, 1});
                   },
                   [](Store& s) { return s.holds("staging").size() == 1; }});
  calls.push_back(
      {[](Store& s) {
         s.add_event(1, 1, "a line");
         s.end_deployment(1, Outcome::rolled_back, "why", 2);
       },
       [](Store& s) { return s.deployment(1)->outcome == Outcome::rolled_back && s.events(1).size() == 1; }});
  calls.push_back({[](Store& s) { s.next_epoch(); }, [](Store&) { return true; }});
  calls.push_back(
      {[](Store& s) { s.remove_holds("staging", "a"); }, [](Store& s) { return s.holds("staging").empty(); }});
  calls.push_back({[](Store& s) { s.begin_deployment(deployment("b", "t-second-002")); },
                   [](Store& s) { return s.deployments("staging", "b", 5).size() == 1; }});
  calls.push_back({[](Store& s) { s.put_environment({.name = "staging", .accepted = "c"}); },
                   [](Store& s) { return s.environment("staging") && s.environment("staging")->accepted == "c"; }});
  return calls;
}

/// Makes the calls until the disk strikes; tells each that returned. 0 where none failed.
int run_course(const std::string& path, const std::function<void(std::size_t)>& returned) {
  const std::vector<Call> calls = course();
  try {
    const auto store = Store::open(path);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      calls[i].make(*store);
      returned(i);
    }
    disk.fault = Fault::none;  // closing is no call
    return 0;
  } catch (const Error&) {
    disk.fault = Fault::none;
    return 1;
  }
}

struct Course {
  std::size_t returned = 0;
  bool struck = false;
};

Course run_here(const std::string& path, Fault fault, int at) {
  Course course;
  disk = {fault, at, 0};
  course.struck = run_course(path, [&course](std::size_t i) { course.returned = i + 1; }) != 0;
  course.struck = course.struck || disk.count >= at;
  disk = {};
  return course;
}

Course run_killed(const std::string& path, int at) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    disk = {Fault::kill, at, 0};
    run_course(path, [&pipe](std::size_t) {
      if (::write(pipe[1], "x", 1) != 1) ::_exit(8);
    });
    ::_exit(0);
  }
  ::close(pipe[1]);
  Course course;
  char byte = 0;
  while (::read(pipe[0], &byte, 1) == 1) ++course.returned;
  ::close(pipe[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  course.struck = WIFEXITED(status) && WEXITSTATUS(status) == 9;
  return course;
}

void check_file(const std::string& path, std::size_t returned) {
  const auto store = Store::open(path);
  {
    SQLite::Database database(path, SQLite::OPEN_READONLY);
    CHECK(database.execAndGet("PRAGMA integrity_check").getString() == "ok");
  }
  const std::vector<Call> calls = course();
  for (std::size_t i = 0; i < returned; ++i) {
    INFO("call " << i);
    const bool undone_later = i == 3 && (returned > 6 || store->holds("staging").empty());
    if (!undone_later) CHECK(calls[i].holds(*store));
  }
  const std::int64_t issued = static_cast<std::int64_t>(returned > 1) + static_cast<std::int64_t>(returned > 5);
  CHECK(store->next_epoch() > issued);
  for (const Deployment& one : store->deployments("", "", 10)) CHECK(one.plan.size() == 9'000);
}

}  // namespace

TEST_CASE("whatever the disk does at whichever operation, the state file has all that was acknowledged and is whole",
          "[store][faults]") {
  put_faulty_disk();
  const auto fault = GENERATE(Fault::full, Fault::broken, Fault::kill);
  // Thousands of syncs: in memory where there is such a place, which the faults don't depend on.
  const std::filesystem::path memory = "/dev/shm";
  const auto parent = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  std::string pattern = (parent / "holdfast-faults-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const std::filesystem::path folder = pattern;
  int at = 0;
  bool struck = true;
  while (struck && at < 2'000) {
    ++at;
    INFO("operation " << at);
    const std::string path = folder / ("state" + std::to_string(at) + ".db");
    const Course made = fault == Fault::kill ? run_killed(path, at) : run_here(path, fault, at);
    struck = made.struck;
    check_file(path, made.returned);
    std::filesystem::remove(path);
  }
  CHECK(at > 50);
  CHECK_FALSE(struck);
  std::filesystem::remove_all(folder);
}
