#pragma once

#include <controller/git/digest_cache.hpp>
#include <controller/git/mirror.hpp>
#include <reconcilers/kinds/lower.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

struct ReleaseSourcesOptions {
  std::string folder{};  // where the mirrors of other repositories lie: FOLDER/<digest of the URL>
  /// Key, token, authority for a URL; by default a remote of the URL alone.
  std::function<Remote(const std::string& url)> remote_for{};
  MirrorOptions mirror{};
  std::chrono::milliseconds refresh{30'000};  // at most one fetch of a repository in this time
  std::chrono::milliseconds fetch_timeout{60'000};
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

/// Release content out of git mirrors: `self` is the fleet's own mirror at one commit, other URLs have mirrors of their
/// own, made and fetched when they are asked for. Keep one for as long as the controller runs; used by one thread.
class GitReleaseSources : public ReleaseSources {
 public:
  /// `self` must outlive this, and lie in `self_folder`.
  GitReleaseSources(const Mirror& self, const std::string& self_folder, ReleaseSourcesOptions options);

  /// The tracked commit: what `self` without a revision means from now on.
  void use_commit(const std::string& commit) { commit_ = commit; }

  /// A commit that is there already is taken without a fetch; a fetch that fails is a note where the mirror knows the
  /// revision from before, else an Error. Git LFS pointers are an Error: their content is not in git.
  SourceTree resolve(const std::string& repository, const SourceRevision& revision, const std::string& folder) override;

  /// The bytes of a blob of a repository, to be sent to a host. Throws Error where it is missing or larger.
  [[nodiscard]] std::string bytes(const std::string& repository, const std::string& object, std::size_t max_bytes);

  /// What was passed over since the last call: a remote that could not be reached.
  std::vector<std::string> take_notes();

 private:
  struct Repository {
    std::unique_ptr<Mirror> owned{};
    const Mirror* mirror = nullptr;
    std::unique_ptr<DigestCache> digests{};
    std::chrono::steady_clock::time_point fetched{};
    bool was_fetched = false;
    std::string problem{};           // of the last fetch; empty where it went well
    std::set<std::string> missed{};  // revisions that it was fetched for and has not
  };

  Repository& repository(const std::string& name);
  std::string commit_of(const std::string& name, const SourceRevision& revision);
  /// Whether it fetched.
  bool refresh(const std::string& name, Repository& repository);
  void fetch(const std::string& name, Repository& repository);
  bool may_have_come(Repository& repository, const SourceRevision& revision);
  std::string digest_of(Repository& repository, const TreeEntry& entry);
  SourceEntry entry_of(Repository& repository, const TreeEntry& entry, std::size_t prefix);

  ReleaseSourcesOptions options_;
  std::map<std::string, Repository> repositories_;
  std::string commit_;
  std::vector<std::string> notes_;
};

}  // namespace holdfast
