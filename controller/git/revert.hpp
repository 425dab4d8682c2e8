#pragma once

#include <controller/git/publish.hpp>

#include <string>

namespace holdfast {

/// A revert that was written, or why there is none.
struct RevertWritten {
  std::string id{};       // of the commit; empty where there is none
  std::string problem{};  // in words: conflicts, or that nothing is left of the commit
};

/// Writes the commit that takes the changes of `bad` back, on top of `onto`: the three-way merge of `git revert`, a
/// merge commit against its first parent. Equal arguments give equal ids. Throws Error where a commit is missing.
RevertWritten write_revert(const Mirror& mirror, const std::string& bad, const std::string& onto,
                           const std::string& message, const Author& author);

}  // namespace holdfast
