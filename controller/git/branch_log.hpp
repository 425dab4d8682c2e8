#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// One file that a commit changed, against its first parent.
struct LoggedChange {
  enum class What { added, changed, removed };
  What what = What::changed;
  std::string path{};
  std::string blob{};  // of the new file; empty where it was removed
  bool plain = true;   // a file that can't be executed: no link, no submodule
};

struct LoggedCommit {
  std::string id{};
  std::vector<std::string> parents{};
  std::string message{};  // as it is: hostile
  std::string author_name{};
  std::string author_mail{};
  std::int64_t author_time_s = 0;
};

/// A line of commits read from any repository: a clone, a bare one, a mirror of ours. Only reads, by object id, without
/// any configuration of its own. Belongs to one thread.
class BranchLog {
 public:
  /// The repository that a folder is, or lies in. Throws Error where there is none.
  static std::unique_ptr<BranchLog> open(const std::string& folder);
  virtual ~BranchLog() = default;

  /// The commit of a reference by its full name ("refs/heads/main"); nullopt where there is none.
  [[nodiscard]] virtual std::optional<std::string> commit_at(const std::string& reference) const = 0;
  /// From `tip` along first parents, the newest first, up to the root or until `visit` says false. Throws Error where
  /// an object is missing (a shallow clone) or damaged.
  virtual void walk(const std::string& tip, const std::function<bool(const LoggedCommit&)>& visit) const = 0;
  /// At most `most` changes of a commit.
  [[nodiscard]] virtual std::vector<LoggedChange> changes(const std::string& commit, std::size_t most) const = 0;
  /// Throws Error where it is missing or larger.
  [[nodiscard]] virtual std::string blob(const std::string& id, std::size_t max_bytes) const = 0;
  /// Whether `ancestor` is in the history of `descendant`, or is that commit; false for what is not there.
  [[nodiscard]] virtual bool contains(const std::string& descendant, const std::string& ancestor) const = 0;
};

}  // namespace holdfast
