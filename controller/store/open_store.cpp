#include <controller/store/open_store.hpp>

#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/failpoint.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace holdfast {

namespace {

constexpr int busy_ms = 10'000;
constexpr std::array<long, 4> network_systems = {0x6969, 0x517B, 0xFF534D42, 0xFE534D42};  // NFS, SMB, CIFS, SMB 2

bool is_damage(int code) { return code == SQLITE_NOTADB || code == SQLITE_CORRUPT; }

/// What is wrong with the file; empty: nothing.
std::string damage_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || status.st_size == 0) return "";
  try {
    SQLite::Database database(path, SQLite::OPEN_READWRITE, busy_ms);
    const std::string found = database.execAndGet("PRAGMA quick_check(1)").getString();
    return found == "ok" ? "" : printable(found);
  } catch (const SQLite::Exception& error) {
    if (is_damage(error.getErrorCode())) return error.what();
    throw Error("the state file \"" + path + "\" can't be opened: " + error.what());
  }
}

std::string stamp(std::int64_t now_ms) {
  const auto seconds = static_cast<std::time_t>(now_ms / 1000);
  struct tm parts {};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return {text.data(), length};
}

void move(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return;
  throw Error("cannot put the damaged state file \"" + from + "\" aside: " + std::strerror(errno));
}

}  // namespace

OpenedStore open_store(const std::string& path, const std::function<bool()>& alone, std::int64_t now_ms) {
  OpenedStore opened;
  if (const std::string damage = damage_of(path); !damage.empty()) {
    if (!alone()) {
      throw Error("the state file \"" + path + "\" is damaged (" + damage +
                  "), and another holdfast uses it: stop that one first");
    }
    const std::string aside = path + ".damaged-" + stamp(now_ms);
    HOLDFAST_FAILPOINT("store.damaged");
    move(path + "-journal", aside + "-journal");  // first: with a new file it would be rolled back into it
    HOLDFAST_FAILPOINT("store.journal_aside");
    move(path, aside);
    opened.note = "the state file was damaged (" + damage + "); it is kept as \"" + aside +
                  "\", and history, holds and epochs are read from the hosts again. What only it knew is lost: "
                  "deployments that hosts no longer remember, and rollbacks by hand";
  }
  opened.store = Store::open(path);
  return opened;
}

void refuse_network_folder(const std::string& folder) {
  struct statfs found {};
  if (::statfs(folder.c_str(), &found) != 0) return;
  const auto type = static_cast<long>(found.f_type) & 0xFFFFFFFFL;
  if (std::ranges::find(network_systems, type) == network_systems.end()) return;
  throw Error("the state folder \"" + folder +
              "\" is on a network file system, whose locks and syncs can't be relied on: name one on a disk of this "
              "machine with `state:` in the controller's settings or --state");
}

}  // namespace holdfast
