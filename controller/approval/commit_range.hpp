#pragma once

#include <controller/git/mirror.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// The commits that `wanted` brings to hosts that have `applied`: all that lead to it and to none of those, the newest
/// first. `whole` is false where there are more than `most`.
struct CommitRange {
  std::vector<Commit> commits{};
  bool whole = true;
};
CommitRange commits_since(const Mirror& mirror, const std::string& wanted, const std::vector<std::string>& applied,
                          std::size_t most);

/// Whether a commit's author or committer ("Name <mail>") goes by one of these names or addresses.
bool is_author(const std::string& author, const std::string& name, const std::vector<std::string>& mails);

/// The address in "Name <mail>"; "" where there is none.
std::string mail_of(const std::string& author);

}  // namespace holdfast
