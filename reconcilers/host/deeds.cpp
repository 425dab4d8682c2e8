#include <reconcilers/host/deeds.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <map>
#include <optional>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_deeds = 4000;
constexpr std::size_t longest_line = 16U << 10U;
constexpr std::size_t longest_shown = 120;
constexpr std::int64_t before_ms = 1'000;  // clocks of logs
constexpr std::int64_t after_ms = 3'000;   // what a command did may be seen after its end
constexpr std::int64_t no_login_uid = 4'294'967'295;

std::int64_t number_of(std::string_view text) {
  std::int64_t value = -1;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc() ? value : -1;
}

/// What stands between two marks; empty where they are not there.
std::string between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t at = text.find(begin);
  if (at == std::string_view::npos) return {};
  const std::size_t from = at + begin.size();
  const std::size_t to = end.empty() ? text.size() : text.find(end, from);
  return std::string(text.substr(from, to == std::string_view::npos ? to : to - from));
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return std::string(text);
}

struct Line {
  std::string program{};
  std::string message{};
  std::int64_t pid = 0;
  std::int64_t at_ms = 0;
  std::int64_t login_uid = -1;
};

std::optional<Line> line_of(std::string_view json) {
  try {
    const Value value = from_json(json, {.bytes = longest_line, .depth = 4});
    Line line;
    line.program = value.text_or("_COMM", "");
    line.message = value.text_or("MESSAGE", "");
    line.pid = number_of(value.text_or("_PID", ""));
    line.at_ms = number_of(value.text_or("__REALTIME_TIMESTAMP", "")) / 1000;
    line.login_uid = number_of(value.text_or("_AUDIT_LOGINUID", ""));
    if (line.login_uid == no_login_uid) line.login_uid = -1;
    return line;
  } catch (const Error&) {
    return std::nullopt;  // a message of bytes is a list
  }
}

/// Takes the lines of one process of sudo, su or sshd in, in the order of time.
void take(const Line& line, Deed& deed) {
  const std::string& text = line.message;
  if (line.program == "sudo" && text.find("COMMAND=") != std::string::npos) {
    deed.kind = Deed::Kind::command;
    deed.user = trimmed(text.substr(0, text.find(" : ")));
    deed.command = between(text, "COMMAND=", "");
    if (deed.begin_ms == 0) deed.begin_ms = line.at_ms;
  }
  if (text.starts_with("Accepted ")) {
    deed.user = between(text, " for ", " from ");
    deed.from = between(text, " from ", " port ");
    deed.key = between(text, ": ", "");
  }
  if (text.find("session opened for user ") != std::string::npos) {
    const std::string by = between(text, " by ", "");
    const std::string whom = between(text, "opened for user ", " by ");
    const std::string& who = by.starts_with("(") ? whom : by;
    if (deed.user.empty()) deed.user = who.substr(0, who.find('('));
    if (const std::string uid = between(who, "uid=", ")"); !uid.empty()) deed.uid = number_of(uid);
    if (deed.begin_ms == 0) deed.begin_ms = line.at_ms;
  }
  if (line.login_uid >= 0 && deed.uid < 0) deed.uid = line.login_uid;
  if (text.find("session closed for user ") != std::string::npos) deed.end_ms = line.at_ms;
}

/// "2026-11-21  14:02:11" of this machine's zone.
std::int64_t local_ms(const std::string& text) {
  std::tm time{};
  if (::strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &time) == nullptr) return 0;
  time.tm_isdst = -1;
  return static_cast<std::int64_t>(::mktime(&time)) * 1000;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// True where a word of a command means the thing, or a folder that it is in.
bool means(const std::string& word, const Changed& changed) {
  const std::string bare = changed.name.substr(0, changed.name.rfind('.'));
  if (word == changed.name) return true;
  if (changed.type == "unit") return word == bare;
  if (!changed.name.starts_with('/')) return word == changed.name;
  if (word.size() > 1 && word.starts_with('/') && changed.name.starts_with(word + (word.back() == '/' ? "" : "/"))) {
    return true;
  }
  return word.find('/') == std::string::npos && word == last_part(changed.name);
}

bool names(const Deed& deed, const Changed& changed) {
  const std::vector<std::string> words = words_of(deed.command);
  // Within a word as well: what a shell was given as one text is logged without its quotes, or with them.
  return std::ranges::any_of(words, [&](const std::string& word) { return means(word, changed); }) ||
         (changed.name.starts_with('/') && deed.command.find(changed.name) != std::string::npos);
}

/// The program, a word of it without which nobody knows what it did, and what names the thing: anything else may be a
/// secret.
std::string shown(const Deed& deed, const Changed& changed) {
  static const std::vector<std::string> verbs = {"stop",   "start",  "restart", "disable", "enable", "mask",
                                                 "remove", "purge",  "install", "upgrade", "kill",   "autoremove",
                                                 "reload", "revert", "edit"};
  const std::vector<std::string> words = words_of(deed.command);
  if (words.empty()) return "";
  std::string text = last_part(words.front());
  bool cut = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool verb = std::ranges::find(verbs, words[i]) != verbs.end();
    if (!verb && !means(words[i], changed)) {
      cut = true;
      continue;
    }
    text += (cut ? " … " : " ") + words[i];
    cut = false;
  }
  if (cut) text += " …";
  return printable(text.substr(0, longest_shown));
}

bool was_then(const Deed& deed, std::int64_t at_ms, std::int64_t after) {
  return deed.begin_ms <= at_ms + before_ms && (deed.end_ms == 0 || at_ms <= deed.end_ms + after);
}

std::string person(const Deed& deed, const std::string& how) {
  std::string in = deed.uid >= 0 ? "uid " + std::to_string(deed.uid) : "";
  if (!how.empty()) in += (in.empty() ? "" : ", ") + how;
  return printable(deed.user.empty() ? "somebody" : deed.user) + (in.empty() ? "" : " (" + in + ")");
}

std::string describe(const Deed& deed, const Changed& changed) {
  switch (deed.kind) {
    case Deed::Kind::command:
      return person(deed, "sudo " + shown(deed, changed));
    case Deed::Kind::package_run:
      return deed.user.empty() ? "the package manager (" + shown(deed, changed) + ")"
                               : person(deed, shown(deed, changed));
    case Deed::Kind::login:
      return person(deed, deed.from.empty() ? "logged in" : "logged in from " + printable(deed.from));
  }
  return "";
}

/// The newest of those that match; those of several people are named together.
template <typename Matches>
std::string newest(const std::vector<Deed>& deeds, const Changed& changed, Matches&& matches) {
  std::vector<const Deed*> found;
  for (const Deed& deed : deeds) {
    if (!matches(deed)) continue;
    const auto same = std::ranges::find(found, deed.user, [](const Deed* one) { return one->user; });
    if (same == found.end()) {
      found.push_back(&deed);
    } else if ((*same)->begin_ms < deed.begin_ms) {
      *same = &deed;
    }
  }
  if (found.empty()) return "";
  if (found.size() == 1) return describe(*found.front(), changed);
  std::string text = "one of ";
  for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 4); ++i) {
    text += (i == 0 ? "" : ", ") + describe(*found[i], changed);
  }
  return text + (found.size() > 4 ? " and others" : "");
}

}  // namespace

std::vector<Deed> deeds_of_journal(std::string_view json_lines) {
  std::vector<Line> lines;
  while (!json_lines.empty() && lines.size() < most_deeds * 4) {
    const std::size_t end = std::min(json_lines.find('\n'), json_lines.size());
    if (auto line = line_of(json_lines.substr(0, end))) lines.push_back(std::move(*line));
    json_lines.remove_prefix(std::min(end + 1, json_lines.size()));
  }
  std::ranges::stable_sort(lines, {}, &Line::at_ms);
  std::vector<Deed> deeds;
  std::map<std::int64_t, std::size_t> open;  // by process: a number is used again after its end
  for (const Line& line : lines) {
    auto at = open.find(line.pid);
    const bool begins = line.message.find("COMMAND=") != std::string::npos || line.message.starts_with("Accepted ") ||
                        line.message.find("session opened for user ") != std::string::npos;
    if (at == open.end()) {
      if (!begins || deeds.size() >= most_deeds) continue;
      at = open.emplace(line.pid, deeds.size()).first;
      deeds.push_back({.pid = line.pid});
    }
    take(line, deeds[at->second]);
    if (deeds[at->second].end_ms != 0) open.erase(at);
  }
  std::erase_if(deeds, [](const Deed& deed) { return deed.begin_ms == 0; });
  return deeds;
}

std::vector<Deed> deeds_of_apt(std::string_view history) {
  std::vector<Deed> deeds;
  while (!history.empty()) {
    const std::size_t end = std::min(history.find('\n'), history.size());
    const std::string line(history.substr(0, end));
    history.remove_prefix(std::min(end + 1, history.size()));
    if (line.starts_with("Start-Date: ")) {
      deeds.push_back({.kind = Deed::Kind::package_run, .begin_ms = local_ms(line.substr(12))});
    }
    if (deeds.empty()) continue;
    Deed& deed = deeds.back();
    if (line.starts_with("Commandline: ")) deed.command = line.substr(13);
    if (line.starts_with("Requested-By: ")) {
      deed.user = trimmed(between(line, ": ", " ("));
      deed.uid = number_of(between(line, "(", ")"));
    }
    if (line.starts_with("End-Date: ")) deed.end_ms = local_ms(line.substr(10));
  }
  return deeds;
}

std::vector<Deed> without_own(std::vector<Deed> deeds, const std::vector<std::int64_t>& own_pids) {
  std::vector<Deed> own;
  for (const Deed& deed : deeds) {
    const bool ours = std::ranges::find(own_pids, deed.pid) != own_pids.end();
    if (ours && deed.kind == Deed::Kind::login && !deed.from.empty()) own.push_back(deed);
  }
  std::erase_if(deeds, [&](const Deed& deed) {
    if (deed.command.find("/var/lib/holdfast/") != std::string::npos) return true;
    return deed.kind == Deed::Kind::login && std::ranges::any_of(own, [&](const Deed& one) {
             return one.user == deed.user && one.from == deed.from && one.key == deed.key;
           });
  });
  return deeds;
}

std::string culprit_of(const Changed& changed, const std::vector<Deed>& deeds) {
  const std::string otherwise = changed.owner.empty() ? "unknown" : "unknown; it belongs to " + changed.owner;
  if (changed.at_ms == 0) return otherwise;
  const auto pick = [&](Deed::Kind kind, bool named) {
    return newest(deeds, changed, [&](const Deed& deed) {
      return deed.kind == kind && was_then(deed, changed.at_ms, after_ms) && (!named || names(deed, changed));
    });
  };
  using Kind = Deed::Kind;
  for (const auto& [kind, named] : {std::pair{Kind::command, true}, std::pair{Kind::package_run, true},
                                    std::pair{Kind::package_run, false}, std::pair{Kind::command, false}}) {
    if (const std::string text = pick(kind, named); !text.empty()) return text;
  }
  const std::string logged_in = pick(Kind::login, false);
  return logged_in.empty() ? otherwise : logged_in;
}

}  // namespace holdfast
