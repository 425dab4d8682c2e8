#pragma once

#include <controller/git/mirror.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// What holdfast itself writes into git: commits and tags are made beside the objects of a mirror, kept by references of
// our own, and pushed to its remote. Everything here is cheap but push(), needs no lock, and may be called from any
// thread. A mirror is a cache: one that is made anew has lost what was written and not pushed, so whoever writes keeps
// what it was made of (in the state store), and writes again what kept() no longer finds.

namespace holdfast {

struct FileChange {
  std::string path{};                    // from the root of the tree, with '/'
  std::optional<std::string> content{};  // nullopt: the file is removed, if it is there
  bool executable = false;
};

struct Author {
  std::string name{};
  std::string mail{};
  std::int64_t time_s = 0;  // seconds since the epoch, told as UTC
};

/// Gives the signature of these bytes, as it stands behind a tag's message ("-----BEGIN SSH SIGNATURE-----…").
using Signer = std::function<std::string(const std::string& payload)>;

/// Writes a commit with one parent (or none: ""), whose tree is that of the commit `base` (or an empty one: "") after
/// the changes: the id. Equal arguments give equal ids. Throws Error where a path can't stand in a tree, or the parent
/// or base is not in the mirror.
std::string write_commit(const Mirror& mirror, const std::string& parent, const std::string& base,
                         const std::vector<FileChange>& changes, const std::string& message, const Author& author);

/// Writes an annotated tag of a commit, signed where there is a signer: the id of the tag object.
std::string write_tag(const Mirror& mirror, const std::string& commit, const std::string& name,
                      const std::string& message, const Author& author, const Signer& signer = {});

/// References of our own, "refs/own/heads/…" or "refs/own/tags/…": they keep objects, and no fetch touches them.
/// kept() gives the id of what is named there, a tag object's for an annotated tag; nullopt where there is none, or
/// where the mirror lost it.
void keep(const Mirror& mirror, const std::string& reference, const std::string& id);
std::optional<std::string> kept(const Mirror& mirror, const std::string& reference);
void forget(const Mirror& mirror, const std::string& reference);

/// Puts what was written together into a pack where it has become much: about `most` objects in files of their own.
void pack_written(const Mirror& mirror, std::size_t most = 3'000);

struct RefUpdate {
  std::string id{};    // of a commit or a tag object that the mirror has
  std::string name{};  // "refs/heads/…" or "refs/tags/…", on the remote
  bool fresh = false;  // only where the remote has none of that name, or has the same
};

struct RejectedUpdate {
  RefUpdate update{};
  std::string reason{};  // printable: "the branch is at 1f2e… on the remote", or what the server said
};

struct Pushed {
  std::vector<RefUpdate> done{};  // the remote has them; also those that it had before
  std::vector<RejectedUpdate> rejected{};
};

inline constexpr std::size_t max_push_updates = 64;

/// Pushes to the mirror's remote, in a child process of our own program that is killed at the deadline. Never forced: a
/// branch only goes forward, a tag is never moved, and nothing is deleted. Throws Error where the remote can't be
/// reached, or refuses us as a whole (no write access); where it only refuses some, the others are done.
Pushed push(const Mirror& mirror, const std::vector<RefUpdate>& updates, Deadline deadline);

}  // namespace holdfast
