#pragma once

#include <controller/notify/notification.hpp>
#include <controller/notify/sink.hpp>

#include <atomic>
#include <string>

namespace holdfast {

/// "off", "own" (pull requests of the repository itself) or "all" (forks, too), as the sink's settings say.
std::string pull_requests_of(const Value& to);

/// Tells the pull request that a commit came with what came of it: one comment per environment, the newest outcome in
/// the place of the one before. Throws Error with what the forge said.
SendResult comment_outcome(const std::string& type, const Value& to, const Notification& note,
                           const std::atomic<bool>& stop);

/// The comment's Markdown: nothing of the texts in it is markup.
std::string outcome_text(const Notification& note);

}  // namespace holdfast
