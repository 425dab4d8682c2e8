#pragma once

#include <manifests/value.hpp>

#include <string>
#include <vector>

namespace holdfast {

struct Notification;

/// One sink of the controller's settings, `notify:`. What is secret is named by its file and read when it is needed.
struct SinkSettings {
  std::string name{};
  std::string type{};                       // "slack", "webhook", …: the member of `to` that is there
  Value to{};                               // its members
  std::vector<std::string> events{};        // empty: what is usual for the type
  std::vector<std::string> environments{};  // empty: all
};

/// The sinks of a settings file's `notify` that the schema has accepted. Throws Error for what the schema can't see:
/// two of one name.
std::vector<SinkSettings> sinks_from(const Value& notify);

/// Whether it sets commit statuses, of which the newest counts.
bool shows_status(const SinkSettings& sink);

/// "pending", "success", "failure" or "error" for what a commit status tells; empty for everything else.
std::string commit_state(const Notification& note);

/// Whether that sink is told of this.
bool wants(const SinkSettings& sink, const Notification& one);

}  // namespace holdfast
