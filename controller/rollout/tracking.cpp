#include <controller/rollout/tracking.hpp>

#include <controller/git/release_tags.hpp>
#include <controller/git/version.hpp>

namespace holdfast {

namespace {

constexpr std::size_t short_id = 12;
const std::string how_to_accept = "; to accept it say `track: {rewrites: allow}` on the root branch";

std::string brief(const std::string& commit) { return commit.substr(0, short_id); }

std::string history_text(const Track& track) {
  return track.branch.empty() ? "the root branch" : "branch " + track.branch;
}

class Following {
 public:
  Following(const Track& track, const Mirror& mirror, const EnvironmentRecord& before)
      : track_(track), mirror_(mirror), before_(before) {}

  SourceState lost(const std::string& what) const {
    return {.target = before_.accepted,
            .state = "lost",
            .detail = what + (before_.accepted.empty()
                                  ? ""
                                  : "; " + brief(before_.accepted) + " stays in force, nothing is removed")};
  }

  /// Why the head may not be taken; nullopt where it may.
  std::optional<SourceState> refused(const TrackedHead& head) const {
    if (before_.accepted.empty()) return std::nullopt;
    if (track_.is_pattern()) return refused_release(head);
    if (head.commit == before_.accepted || track_.allow_rewrites) return std::nullopt;
    if (!track_.tag.empty()) {
      if (before_.accepted_tag != track_.tag) return std::nullopt;
      return rewritten(head, moved(track_.tag, head.commit));
    }
    if (holds_accepted(head)) return std::nullopt;
    return rewritten(head, tracked_text(track_) + " was rewritten: " + brief(head.commit) + " does not descend from " +
                               brief(before_.accepted));
  }

 private:
  /// Among releases of which one was accepted before: only forward, and only while that one stands where it stood.
  std::optional<SourceState> refused_release(const TrackedHead& head) const {
    const std::string& tag = before_.accepted_tag;
    const auto accepted = version_in(tag);
    if (!accepted || !is_like(tag, track_.tag) || track_.allow_rewrites) return std::nullopt;
    const auto now = mirror_.tag(tag);
    const bool newer = head.tag != tag && compare(*version_in(head.tag), *accepted) > 0;
    if (now && *now != before_.accepted && !newer) return rewritten(head, moved(tag, *now));
    if (!holds_accepted(head)) {
      return rewritten(head, history_text(track_) + " was rewritten: it does not hold " + brief(before_.accepted) +
                                 " (" + tag + ") any more");
    }
    if (newer || head.tag == tag) return std::nullopt;
    if (!now) return lost("tag " + tag + " is not in the repository any more");
    return rewritten(head, "tag " + tag + " is no release of " + tracked_text(track_) + " any more, and " + head.tag +
                               " is not newer");
  }

  [[nodiscard]] bool holds_accepted(const TrackedHead& head) const {
    return mirror_.commit(before_.accepted).has_value() && mirror_.is_ancestor(before_.accepted, head.history);
  }

  [[nodiscard]] std::string moved(const std::string& tag, const std::string& commit) const {
    return "tag " + tag + " moved to " + brief(commit) + " from " + brief(before_.accepted);
  }

  [[nodiscard]] SourceState rewritten(const TrackedHead& head, const std::string& why) const {
    return {.head = head.commit,
            .tag = head.tag,
            .target = before_.accepted,
            .state = "rewritten",
            .detail = why + how_to_accept};
  }

  const Track& track_;
  const Mirror& mirror_;
  const EnvironmentRecord& before_;
};

std::string missing(const Track& track, const Mirror& mirror) {
  if (!track.is_pattern()) return tracked_text(track) + " is not in the repository";
  if (!track.branch.empty() && !mirror.branch(track.branch)) {
    return "branch " + track.branch + " is not in the repository";
  }
  return "no tag like \"" + track.tag + "\" that ends with a version such as 1.4.2 is in the history of " +
         history_text(track);
}

}  // namespace

std::string tracked_text(const Track& track) {
  if (track.tag.empty()) return "branch " + track.branch;
  if (!track.is_pattern()) return "tag " + track.tag;
  return "tags " + track.tag + " of " + history_text(track);
}

std::optional<TrackedHead> tracked_head(const Track& track, const Mirror& mirror, const std::string& root_head,
                                        const std::string& accepted_tag) {
  const auto branch = track.branch.empty() ? std::optional(root_head) : mirror.branch(track.branch);
  if (track.tag.empty()) return branch ? std::optional(TrackedHead{*branch, "", *branch}) : std::nullopt;
  if (!track.is_pattern()) {
    const auto commit = mirror.tag(track.tag);
    return commit ? std::optional(TrackedHead{*commit, track.tag, ""}) : std::nullopt;
  }
  if (!branch) return std::nullopt;
  const auto release = newest_release(mirror, {track.tag, track.prereleases, *branch, accepted_tag});
  return release ? std::optional(TrackedHead{release->commit, release->name, *branch}) : std::nullopt;
}

SourceState follow(const Track& track, const Mirror& mirror, const std::string& root_head,
                   const EnvironmentRecord& before, const std::optional<Pin>& pin) {
  const Following following(track, mirror, before);
  const auto head = tracked_head(track, mirror, root_head, before.accepted_tag);
  if (!head) return following.lost(missing(track, mirror));
  if (pin && pin->head == head->commit) {
    return {.head = head->commit,
            .tag = head->tag,
            .target = pin->target,
            .state = "pinned",
            .detail = "rolled back to " + brief(pin->target) + " by " + pin->requested_by +
                      (pin->reason.empty() ? "" : ": " + pin->reason)};
  }
  if (auto refused = following.refused(*head)) return *refused;
  return {.head = head->commit, .tag = head->tag, .target = head->commit, .state = "following"};
}

}  // namespace holdfast
