// Suspensions: a reminder before each ends, and that it ended.
#include <controller/notify/news_parts.hpp>

#include <controller/plan/times.hpp>
#include <controller/rollout/suspension.hpp>

#include <algorithm>
#include <set>
#include <sstream>

namespace holdfast {

namespace {

constexpr std::int64_t longest_notice_ms = 3'600'000;
constexpr std::int64_t notice_part = 10;  // of its length
constexpr const char* prefix = "suspension";

/// What is remembered of one, so that its end can be told when it is gone: "SINCE UNTIL STAGE words".
struct Known {
  std::int64_t since_ms = 0;
  std::int64_t until_ms = 0;
  std::string stage{};  // lasts, ends, over; empty: not known
  std::string words{};  // "suspended by alice since …"
};

std::string to_key(const Known& one) {
  return std::to_string(one.since_ms) + " " + std::to_string(one.until_ms) + " " + one.stage + " " + one.words;
}

Known known_from(const std::string& key) {
  Known one;
  std::istringstream text(key);
  if (!(text >> one.since_ms >> one.until_ms >> one.stage)) return {};
  text.ignore(1);
  std::getline(text, one.words);
  return one;
}

ToldKey key_of(const Suspension& one) {
  return {one.environment, one.host, std::string(prefix) + (one.app.empty() ? "" : " " + one.app)};
}

std::string stage_at(const Suspension& one, std::int64_t now_ms) {
  if (now_ms >= one.until_ms) return "over";
  const std::int64_t notice_ms = std::min((one.until_ms - one.since_ms) / notice_part, longest_notice_ms);
  return now_ms >= one.until_ms - notice_ms ? "ends" : "lasts";
}

/// "the suspension of application cvd on web1".
std::string named(const ToldKey& what) {
  const std::string& host = std::get<1>(what);
  const std::string app = std::get<2>(what).substr(std::string(prefix).size());
  std::string text = "the suspension";
  if (!app.empty()) return text + " of application" + app + (host.empty() ? "" : " on " + host);
  return text + (host.empty() ? "" : " of " + host);
}

void tell(const ToldKey& what, const std::string& text, const NewsInput& input, News& news) {
  Notification note{.event = "suspension",
                    .at_ms = input.now_ms,
                    .environment = std::get<0>(what),
                    .reason = named(what) + " " + text};
  if (!std::get<1>(what).empty()) name_hosts(note, {std::get<1>(what)});
  news.notes.push_back(std::move(note));
}

}  // namespace

void tell_suspensions(const NewsInput& input, News& news) {
  std::set<ToldKey> there;
  for (const Suspension& one : input.suspensions) {
    const ToldKey what = key_of(one);
    there.insert(what);
    Known known = known_from(told_key(input, what));
    if (known.since_ms != one.since_ms || known.until_ms != one.until_ms) known = {};
    const std::string stage = stage_at(one, input.now_ms);
    if (stage == known.stage || known.stage == "over") continue;
    if (stage == "ends")
      tell(what, "ends in " + duration_text(one.until_ms - input.now_ms) + ": " + to_text(one), input, news);
    if (stage == "over") tell(what, "is over, its time has come: " + to_text(one), input, news);
    news.told[what] = {to_key({one.since_ms, one.until_ms, stage, to_text(one)}), input.now_ms};
  }
  for (const auto& [what, told] : input.told) {
    if (!std::get<2>(what).starts_with(prefix) || told.key.empty() || there.contains(what)) continue;
    const Known known = known_from(told.key);
    news.told[what] = {"", input.now_ms};
    if (known.stage.empty() || known.stage == "over") continue;
    const bool in_time = input.now_ms >= known.until_ms;
    tell(what, (in_time ? "is over, its time has come: " : "was ended by hand: ") + known.words, input, news);
  }
}

}  // namespace holdfast
