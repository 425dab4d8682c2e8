// Commits of which it was told that they wait or are rolled out, and then a newer one was wanted: without an end their
// status would be pending for ever.
#include <controller/notify/news_parts.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t short_id = 12;
constexpr std::array<std::string_view, 2> begins = {"waiting", "deploying"};
constexpr std::array<std::string_view, 5> ends = {"deployed", "current", "rolled-back", "rollback-failed", "refused"};

}  // namespace

void tell_overtaken(const RolloutRecord& rollout, const NewsInput& input, News& news) {
  const ToldKey what = {rollout.environment, "", "pending"};
  const auto last = input.told.find(what);
  const std::string before = last == input.told.end() ? "" : last->second.key;
  std::string pending = before;
  const auto follow = [&] {
    for (const Notification& note : news.notes) {
      if (note.environment != rollout.environment) continue;
      const bool open = std::ranges::find(begins, note.event) != begins.end();
      if (open && note.revision == rollout.commit && pending.empty()) pending = note.revision;
      if (note.revision == pending && std::ranges::find(ends, note.event) != ends.end()) pending.clear();
    }
  };
  follow();
  if (!pending.empty() && pending != rollout.commit) {
    Notification note{.event = "overtaken",
                      .at_ms = input.now_ms,
                      .environment = rollout.environment,
                      .revision = pending,
                      .reason = rollout.commit.substr(0, short_id) + " was wanted before all hosts had it"};
    name_hosts(note, rollout.hosts);
    pending.clear();
    follow();
    news.notes.push_back(std::move(note));
  }
  if (pending != before) news.told[what] = {pending, input.now_ms};
}

}  // namespace holdfast
