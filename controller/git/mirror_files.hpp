#pragma once

#include <controller/git/fetch_request.hpp>
#include <controller/git/libgit.hpp>

#include <string>

namespace holdfast {

/// Opens the mirror in a folder, after checking that the folder is ours alone. Makes it where it is missing, and anew
/// where it can't be opened, was found damaged, or mirrors another URL; the old one then stays beside it as FOLDER.old.
GitRepository prepare_mirror(const std::string& folder, const std::string& url);
/// Moves the mirror aside and makes an empty one.
GitRepository rebuild_mirror(const std::string& folder, const std::string& url);
/// The next opening or fetch makes the mirror anew.
void mark_damaged(const std::string& folder);
bool is_marked_damaged(const std::string& folder);

/// What `read` gives. The library checks every object's hash; where one is not what it was, the mirror is marked.
template <typename Read>
auto marking_damage(const std::string& folder, Read&& read) {
  try {
    return read();
  } catch (const DamagedObject&) {
    mark_damaged(folder);
    throw;
  }
}

struct FetchOutcome {
  FetchExit exit = FetchExit::failed;
  std::string problem{};  // in words, where it is not done
  std::string answer{};   // what a child printed that is done
};

/// Runs one child, a fetch or a push, to its end, or kills it and its group at the deadline.
FetchOutcome run_fetch_child(const MirrorOptions& options, FetchRequest request, Deadline deadline);

}  // namespace holdfast
