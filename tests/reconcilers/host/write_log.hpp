#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

// A file system's writes as a log, and all states that a crash can leave of it, as ALICE builds them: what a program
// wrote and did not sync may be there, missing or cut short; names that were changed in a folder that was not synced
// may be old or new, each for itself. The test program is linked so that its file system calls come by here
// (--wrap): everything below the folder given to begin_log() is noted, after it was really done.

/// What a file is besides its name.
struct Meta {
  unsigned mode = 0;
  unsigned uid = 0;
  unsigned gid = 0;
  std::string note{};  // the extended attribute user.note
  friend auto operator<=>(const Meta&, const Meta&) = default;
};

struct Node {
  enum class Type { file, folder, link } type = Type::file;
  std::string content{};  // of a link: its target
  Meta meta{};
  friend auto operator<=>(const Node&, const Node&) = default;
};

/// One thing that was done; nodes are numbered, a folder's names are in `names`.
struct Operation {
  enum class Kind { content, meta, names, sync, sync_all } kind = Kind::content;
  int node = 0;                                              // which file; of names and of a folder's sync: which folder
  std::string content{};
  Meta meta{};
  std::vector<std::pair<std::string, int>> names{};          // name -> node, -1: gone; all of them at once
};

struct WriteLog {
  std::map<int, Node> nodes{};                               // as they were before, or when they were made
  std::map<int, std::map<std::string, int>> folders{};       // as they were before
  std::map<std::string, int> paths{};                        // the folders' paths below the root, "" for itself
  std::vector<Operation> operations{};
};

/// Notes everything below this folder from now on, beginning with what is there.
void begin_log(const std::string& root);
WriteLog end_log();
/// Goes on with a log that was looked at meanwhile.
void resume_log(WriteLog log);

/// A tree after a crash: path below the root -> what is there.
using CrashState = std::map<std::string, Node>;
/// All that a crash after the first `done` operations can leave.
std::set<CrashState> crash_states(const WriteLog& log, std::size_t done);

}  // namespace holdfast
