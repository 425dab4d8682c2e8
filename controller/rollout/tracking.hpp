#pragma once

#include <controller/git/mirror.hpp>
#include <controller/store/store.hpp>
#include <manifests/environment.hpp>

#include <optional>
#include <string>

namespace holdfast {

/// What an environment follows, for people: "branch main", "tag v1.4.2", "tags v* of branch main".
std::string tracked_text(const Track& track);

/// Where what an environment follows is now.
struct TrackedHead {
  std::string commit{};
  std::string tag{};      // that was chosen; empty where a branch is followed
  std::string history{};  // the head of the branch that is followed or that holds the tag; empty for a tag by its name
};

/// nullopt where there is none: no such branch or tag, or no release among the tags. `root_head` is the root branch's
/// commit; `accepted_tag` the tag that is preferred among several of one precedence.
std::optional<TrackedHead> tracked_head(const Track& track, const Mirror& mirror, const std::string& root_head,
                                        const std::string& accepted_tag);

/// Which commit an environment should be at now, and why not the tracked ref's head where it is another.
struct SourceState {
  std::string head{};    // of the tracked ref; empty where it is gone
  std::string tag{};     // that the head was found by; empty for a branch
  std::string target{};  // what to roll out; empty: nothing may be done
  std::string state{};   // following, pinned, rewritten, lost
  std::string detail{};
};

/// The rules of following a ref, pure but for reading the mirror: a deleted one keeps what was accepted last, a
/// rewritten or moved one is refused (unless the policy allows it), a release is never followed by an older one, a
/// person's rollback holds while the head stays. What the root branch now says to follow instead is a decision of its
/// own: a tag that was not followed before is taken as it is.
SourceState follow(const Track& track, const Mirror& mirror, const std::string& root_head,
                   const EnvironmentRecord& before, const std::optional<Pin>& pin);

}  // namespace holdfast
