#pragma once

#include <controller/notify/notification.hpp>
#include <controller/notify/settings.hpp>

#include <atomic>
#include <cstdint>
#include <string>

namespace holdfast {

/// What came of one try to tell a sink. `why` is printable and has no secret.
struct SendResult {
  enum class State {
    delivered,
    later,  // the sink is away or ill: tried again
    never,  // the sink does not take this one, whatever is tried
  };
  State state = State::delivered;
  std::string why{};
  std::int64_t wait_ms = 0;  // the sink asked for so much patience
};

/// Tells one sink, in at most 15 seconds; returns soon after `stop` turned true. Never throws: a secret's file that
/// can't be read is a reason to try later.
SendResult send_to(const SinkSettings& sink, const Notification& note, const std::atomic<bool>& stop);

/// Where a sink leads, without what is secret: "slack at hooks.slack.com".
std::string place_of(const SinkSettings& sink);

// One file each has these; they throw Error for what the settings or their files lack.
SendResult send_slack(const Value& to, const Notification& note, const std::atomic<bool>& stop);
SendResult send_webhook(const Value& to, const Notification& note, const std::atomic<bool>& stop);
/// `type` is "github", "gitlab" or "gitea"; a test only asks for the repository.
SendResult send_commit_status(const std::string& type, const Value& to, const Notification& note,
                              const std::atomic<bool>& stop);
SendResult send_mail(const Value& to, const Notification& note, const std::atomic<bool>& stop);

/// The text of a Slack message.
std::string slack_text(const Notification& note);
/// A mail, head and body, with the lines of the wire.
std::string mail_text(const Value& to, const Notification& note);

}  // namespace holdfast
