#pragma once

#include <controller/connection.hpp>
#include <manifests/tree.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// A git remote and how to reach it: ssh://, scp-like user@host:path, https://, http:// (loopback only), file:// or an
/// absolute path. Nothing else is accepted, nor anything that begins with '-' or has control characters.
struct Remote {
  std::string url{};
  std::string identity{};     // ssh: ed25519 key file; empty: agent, then ~/.ssh/id_ed25519
  std::string host_key{};     // ssh: pinned "ssh-ed25519 AAAA…"; empty: known_hosts
  std::string known_hosts{};  // ssh: OpenSSH file (plain or hashed); empty: ~/.ssh/known_hosts
  std::string
      token_file{};       // https: file with the token, or user:token (never in the URL); sent to the URL's host only
  std::string ca_file{};  // https: additional authority
};

/// Problem with the URL, in words; nullopt where it is acceptable. No connection is made.
std::optional<std::string> refuse_url(const std::string& url);

struct Commit {
  std::string id{};
  std::string tree{};
  std::string author{};     // "Name <mail>", made printable
  std::string committer{};  // the same: who gave it the form that it has
  std::string summary{};    // first line of the message, made printable
  std::int64_t time = 0;    // committer time, seconds since the epoch
  std::vector<std::string> parents{};
};

/// What was signed, byte for byte, and the armored signature of it (SSH or OpenPGP), unchecked.
struct SignedBytes {
  std::string payload{};
  std::string signature{};  // empty: it is not signed
};

/// An annotated tag as its object has it. Nothing of it is checked, and all of it was written by whoever could push:
/// `name` need not be that of the reference which led here.
struct TagObject {
  std::string id{};
  std::string commit{};  // what it names; empty where that is no commit
  std::string name{};
  std::string tagger{};   // "Name <mail>", made printable
  std::int64_t time = 0;  // the tagger's, seconds since the epoch
  std::string message{};  // without the signature, as it is
  SignedBytes signed_bytes{};
};

/// holdfast-fetch beside this program, or in libexec of the same prefix; without it, this program's own fetch-child.
std::vector<std::string> default_fetch_program();

struct MirrorOptions {
  /// The program and first arguments of a fetch child; tests put a program of their own here.
  std::vector<std::string> fetch_program = default_fetch_program();
  std::uint64_t max_fetch_bytes = 2'000'000'000;  // received in one fetch
  std::string only_branch{};                      // no other branch is fetched, and no tag; empty: all are
};

/// A bare mirror of one remote below the controller's state folder: a cache that can be deleted at any time. Hermetic:
/// no system, user or repository configuration, no hooks, attributes, filters, submodules or work tree; everything is
/// read by object id. One Mirror per thread; several processes may fetch into one folder (a lock file orders them).
class Mirror {
 public:
  /// Creates the repository where it is missing; one that can't be opened is moved aside and made anew.
  /// So is one that mirrored another URL. Throws Error where the URL is refused or the folder is not safely ours.
  static std::unique_ptr<Mirror> open(const std::string& folder, const Remote& remote,
                                      const MirrorOptions& options = {});
  virtual ~Mirror() = default;

  /// Fetches all branches and tags, in a child process of our own program that is killed with its group at the deadline
  /// (libgit2 1.5 has no timeout). Deleted branches disappear from the mirror. Throws Error that says what the remote
  /// said.
  virtual void fetch(Deadline deadline) = 0;

  /// The same, and one reference besides by its full name, such as a pull request's head ("refs/pull/17/head"): the
  /// commit that it names. Throws Error where the remote has none of that name; the next fetch forgets it.
  virtual std::string fetch_reference(const std::string& reference, Deadline deadline) = 0;

  /// The commit at a branch, or that a tag names (annotated ones are peeled); nullopt where there is none.
  [[nodiscard]] virtual std::optional<std::string> branch(const std::string& name) const = 0;
  [[nodiscard]] virtual std::optional<std::string> tag(const std::string& name) const = 0;
  /// All tags by name, in no order; some may name no commit.
  [[nodiscard]] virtual std::vector<std::string> tag_names() const = 0;
  /// A commit by full id; or, where `text` is none, by branch, by tag, or by a unique abbreviation of 7 or more digits
  /// (for people's command lines only).
  [[nodiscard]] virtual std::optional<std::string> resolve(const std::string& text) const = 0;
  [[nodiscard]] virtual std::optional<Commit> commit(const std::string& id) const = 0;
  [[nodiscard]] virtual bool is_ancestor(const std::string& ancestor, const std::string& descendant) const = 0;

  /// The tree of a commit. Throws Error where it has entries that no host could hold (control characters, ".git",
  /// "." segments), or is over the limits (200,000 entries, 512 MiB).
  [[nodiscard]] virtual std::unique_ptr<Tree> tree(const std::string& commit) const = 0;
  /// Whether both are there and have the very same files.
  [[nodiscard]] bool same_files(const std::string& commit, const std::string& other) const {
    const auto a = this->commit(commit);
    const auto b = this->commit(other);
    return a && b && !a->tree.empty() && a->tree == b->tree;
  }
  /// The bytes of a blob by id; throws Error where it is missing or larger.
  [[nodiscard]] virtual std::string blob(const std::string& id, std::size_t max_bytes) const = 0;

  /// The id of the blob or the tree at a path of a commit, without a look at anything else; of the whole tree for "".
  /// Empty where there is none.
  [[nodiscard]] virtual std::string object_at(const std::string& commit, const std::string& path) const = 0;

  /// A tag's own object; nullopt for a tag without one (a lightweight one), for none, and for one over 1 MiB.
  [[nodiscard]] virtual std::optional<TagObject> tag_object(const std::string& name) const = 0;
  /// A commit's signature and what was signed; nullopt where it has none.
  [[nodiscard]] virtual std::optional<SignedBytes> commit_signature(const std::string& id) const = 0;

  [[nodiscard]] virtual const Remote& remote() const = 0;
  /// Where it lies, for what writes into it (publish.hpp); empty for a mirror that is not of files.
  [[nodiscard]] virtual const std::string& folder() const = 0;
  [[nodiscard]] virtual const MirrorOptions& options() const = 0;
};

/// The hidden subcommand `holdfast fetch-child`: reads the remote as JSON on standard input, fetches, and exits 0, or
/// prints one line of why not and exits 1. Called by main before anything else of the program is set up.
int fetch_child();

}  // namespace holdfast
