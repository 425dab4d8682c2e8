#pragma once

#include <controller/git/mirror.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// Whether a tag's name is like a pattern, in which each "*" stands for any text.
bool is_like(std::string_view name, std::string_view pattern);

/// Whether a pattern can only mean versions before a release: "v*-rc*", "v1.4.0-*".
bool asks_for_prereleases(std::string_view pattern);

struct ReleaseTag {
  std::string name{};
  std::string commit{};  // that it names, peeled
};

/// Which tags are releases: those like `pattern` that end with a version, named commits in the history of `head`.
struct ReleaseTags {
  std::string pattern{};
  bool prereleases = false;  // take them for releases, too
  std::string head{};        // a commit
  std::string preferred{};   // this one among several of the same precedence
};

/// The newest by the precedence of Semantic Versioning; nullopt where there is none.
std::optional<ReleaseTag> newest_release(const Mirror& mirror, const ReleaseTags& tags);

}  // namespace holdfast
