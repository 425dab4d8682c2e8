#pragma once

#include <manifests/value.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// One thing that happened, as somebody is told of it. Texts are printable, without secrets, and capped by tidy().
struct Notification {
  std::string id{};           // 32 hexadecimal digits, the same in every try
  std::string event{};        // "deployed", "rolled-back", …: `holdfast explain notification` lists them
  std::int64_t at_ms = 0;     // since the epoch
  std::string environment{};  // empty: about none
  std::string revision{};     // a commit; empty: about none
  std::string subject{};      // first line of its message
  std::string author{};
  std::vector<std::string> hosts{};
  std::int64_t host_count = 0;
  std::int64_t took_ms = 0;
  std::string reason{};
  std::vector<std::string> journal{};
  friend bool operator==(const Notification&, const Notification&) = default;
};

/// The same with every text made printable and everything cut to what the schema promises.
Notification tidy(Notification one);

/// The record of schemas/notification.schema.json, and back.
Value to_value(const Notification& one);
Notification notification_from(const Value& record);

/// All of it in one line: "production: rolled back 4f2c… on web1: health check failed".
std::string title_of(const Notification& one);

/// What is said below the title: subject, author, the rest of the reason, journal lines; may be empty.
std::vector<std::string> details_of(const Notification& one);

/// At most `most` bytes of a UTF-8 text, cut between characters and marked with "…".
std::string cut_text(const std::string& text, std::size_t most);

/// True for what a person has to know of: it did not go as it should.
bool is_trouble(const Notification& one);

}  // namespace holdfast
