#pragma once

#include <controller/notify/news.hpp>

#include <string>
#include <vector>

namespace holdfast {

// The parts of news_of().

void name_hosts(Notification& note, const std::vector<std::string>& hosts);

/// Hosts of a rollout that have been out of reach for five minutes or are back, and those where somebody else keeps
/// changing what is repaired.
void tell_hosts(const RolloutRecord& rollout, const NewsInput& input, News& news);

/// A commit that waits for gates, once for each.
void tell_waits(const RolloutRecord& rollout, const NewsInput& input, News& news);
/// Whether the whole environment waits before it takes this commit.
bool waits_whole(const RolloutRecord& rollout, const NewsInput& input);

/// The tracked ref: refused, rewritten, lost, stale, and well again.
void tell_source(const EnvironmentRecord& environment, const NewsInput& input, News& news);

}  // namespace holdfast
