#pragma once

#include <controller/notify/news.hpp>

#include <string>
#include <vector>

namespace holdfast {

// The parts of news_of().

void name_hosts(Notification& note, const std::vector<std::string>& hosts);
/// What was told last of it; empty: nothing.
std::string told_key(const NewsInput& input, const ToldKey& what);

/// Hosts of a rollout that have been out of reach for five minutes or are back, that say that they can't or can again,
/// and those where somebody else keeps changing what is repaired.
void tell_hosts(const RolloutRecord& rollout, const NewsInput& input, News& news);

/// A commit that waits for gates, once for each.
void tell_waits(const RolloutRecord& rollout, const NewsInput& input, News& news);
/// Whether the whole environment waits before it takes this commit.
bool waits_whole(const RolloutRecord& rollout, const NewsInput& input);

/// The commit that was told to wait or to be on its way, when another one took its place. Call it behind all others that
/// tell of this rollout.
void tell_overtaken(const RolloutRecord& rollout, const NewsInput& input, News& news);

/// The root branch: refused, rewritten, lost, and followed again; the repository, when it does not answer and does
/// again.
void tell_root(const RootRecord& root, const NewsInput& input, News& news);
/// Suspensions that are about to end, and that ended.
void tell_suspensions(const NewsInput& input, News& news);
/// The tracked ref: refused, rewritten, lost, and well again.
void tell_source(const EnvironmentRecord& environment, const NewsInput& input, News& news);

}  // namespace holdfast
