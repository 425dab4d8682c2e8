#pragma once

#include <controller/notify/post.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// A pull request, GitLab's merge requests included, as far as we need it. What the forge said of it was checked.
struct PullRequest {
  std::int64_t number = 0;
  std::string head{};       // commit
  std::string base{};       // branch that it is to be merged into
  bool from_fork = false;   // its head is of another repository
  std::string reference{};  // that the head has in the repository: "refs/pull/17/head"
};

/// One repository at GitHub, GitLab, Gitea or Forgejo, by its API. Every call asks at most a few pages, and throws
/// Error with what the forge said; it returns soon after `stop` turned true. Answers are the forge's, and not believed.
class Forge {
 public:
  /// `type` is "github", "gitlab" or "gitea"; `to` the members of such a sink. Throws Error where the token's file
  /// can't be read.
  Forge(std::string type, const Value& to, const std::atomic<bool>& stop);

  /// The open ones, those that changed last first, 50 at most.
  [[nodiscard]] std::vector<PullRequest> open() const;
  /// Those that a commit came with, three at most; none where the forge does not know the commit.
  [[nodiscard]] std::vector<PullRequest> of_commit(const std::string& commit) const;
  /// Puts a comment that begins with `marker`, in the place of the one that began so before. `id` is that one's where
  /// it is known (0: not) and becomes the new one's.
  void comment(std::int64_t pull, const std::string& marker, const std::string& text, std::int64_t& id) const;

 private:
  [[nodiscard]] PostAnswer ask(const std::string& method, const std::string& path, const std::string& body) const;
  [[nodiscard]] Value read(const std::string& path) const;
  [[nodiscard]] std::string page(const std::string& path, int number, int size) const;
  [[nodiscard]] std::string comments_of(std::int64_t pull) const;
  [[nodiscard]] std::string one_comment(std::int64_t pull, std::int64_t id) const;
  [[nodiscard]] std::int64_t find(std::int64_t pull, const std::string& marker) const;
  [[nodiscard]] PullRequest pull_from(const Value& one) const;
  [[nodiscard]] bool is_gitlab() const { return type_ == "gitlab"; }

  std::string type_;
  Post base_;
  const std::atomic<bool>& stop_;
};

/// A request to the repository of such a sink, without what follows its path.
Post forge_request(const std::string& type, const Value& to);

}  // namespace holdfast
