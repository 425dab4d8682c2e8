#pragma once

#include <controller/git/mirror.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace holdfast {

/// The newest commit, from `head` back, after which `look` answers otherwise than after any of its parents: which
/// commit made a thing what it is. A merge that took it over from one side is passed through, as `git log` does.
/// `look` answers for a commit by id, "" where the thing is not there. nullopt where it never was, or where more than
/// `most` commits had to be looked at.
std::optional<Commit> last_change(const Mirror& mirror, const std::string& head,
                                  const std::function<std::string(const std::string& commit)>& look,
                                  std::size_t most = 5000);

}  // namespace holdfast
