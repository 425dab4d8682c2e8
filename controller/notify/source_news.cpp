// The root branch and the refs that environments track: trouble is told once, and when it is over.
#include <controller/notify/news_parts.hpp>

#include <controller/plan/times.hpp>
#include <manifests/digest.hpp>

#include <algorithm>
#include <cstdlib>

namespace holdfast {

namespace {

constexpr std::size_t short_id = 12;
constexpr std::size_t short_digest = 16;

bool is_trouble(const std::string& state) { return state == "refused" || state == "rewritten" || state == "lost"; }

std::string branch_of(const RootRecord& root) { return root.source.substr(0, root.source.find(' ')); }

/// The environment tracks the root branch, of which the very same is told for all.
bool is_told_of_root(const EnvironmentRecord& environment, const NewsInput& input) {
  return input.root && environment.state != "refused" && environment.state == input.root->state &&
         environment.tracked == "branch " + branch_of(*input.root);
}

void tell_state(const RootRecord& root, const NewsInput& input, News& news) {
  if (root.state.empty()) return;
  const ToldKey what = {"", "", "root branch"};
  const std::string told = told_key(input, what);
  Notification note{.event = root.state == "refused" ? "refused" : "source", .at_ms = input.now_ms};
  if (is_trouble(root.state)) {
    const std::string key = root.state + " " + sha256(root.detail).substr(0, short_digest);
    if (told == key) return;
    news.told[what] = {key, input.now_ms};
    note.reason = root.state == "refused" ? root.detail : root.state + ": " + root.detail;
  } else {
    if (told.empty()) return;
    news.told[what] = {"", input.now_ms};
    note.reason = "the root branch " + branch_of(root) + " is followed again, at " + root.policy.substr(0, short_id);
  }
  news.notes.push_back(std::move(note));
}

/// Once for the repository, however many environments are read from it.
void tell_stale(const RootRecord& root, const NewsInput& input, News& news) {
  const ToldKey what = {"", "", "stale"};
  const std::string told = told_key(input, what);
  const std::string since = root.stale_ms == 0 ? "" : std::to_string(root.stale_ms);
  if (told == since) return;
  news.told[what] = {since, input.now_ms};
  Notification note{.event = "source", .at_ms = input.now_ms};
  const std::int64_t lasted_ms = input.now_ms - std::strtoll(told.c_str(), nullptr, 10);
  note.reason = since.empty()
                    ? "the repository answers again, after " + duration_text(std::max<std::int64_t>(lasted_ms, 0))
                    : stale_text(root);
  news.notes.push_back(std::move(note));
}

}  // namespace

void tell_root(const RootRecord& root, const NewsInput& input, News& news) {
  tell_state(root, input, news);
  tell_stale(root, input, news);
}

void tell_source(const EnvironmentRecord& environment, const NewsInput& input, News& news) {
  const ToldKey what = {environment.name, "", "source"};
  const std::string told = told_key(input, what);
  Notification note{.event = environment.state == "refused" ? "refused" : "source",
                    .at_ms = input.now_ms,
                    .environment = environment.name,
                    .revision = environment.head};
  if (is_trouble(environment.state)) {
    if (is_told_of_root(environment, input)) return;
    const std::string key = environment.state + " " + environment.head;
    if (told == key) return;
    note.reason = environment.state == "refused" ? environment.detail : environment.state + ": " + environment.detail;
    news.told[what] = {key, input.now_ms};
    news.notes.push_back(std::move(note));
    return;
  }
  if (told.empty()) return;
  news.told[what] = {"", input.now_ms};
  if (told.starts_with("refused")) return;  // that the next commit was deployed is told anyway
  note.reason = environment.tracked + " is followed again, at " + environment.head.substr(0, short_id);
  news.notes.push_back(std::move(note));
}

}  // namespace holdfast
