#include <controller/approval/approval_tag.hpp>

#include <manifests/digest.hpp>
#include <manifests/host_rules.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr std::string_view prefix = "holdfast/approve/";
constexpr std::size_t max_payload_bytes = 4U << 20U;
constexpr std::size_t max_lines = 60'000;
constexpr std::size_t max_text = 2'000;
constexpr std::size_t hosts_a_line = 10;
constexpr std::size_t short_digits = 12;
constexpr std::size_t changes_told = 2'000;  // of all hosts; the digests count all of them
constexpr std::size_t max_digits = 9;

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  text = printable(text);
  return text.size() > max_text ? text.substr(0, max_text) : text;
}

bool is_number(std::string_view text, std::size_t digits) {
  return !text.empty() && text.size() <= digits && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::map<std::string_view, std::string*> texts_of(Approval& approval) {
  return {{"Environment", &approval.environment},
          {"Commit", &approval.commit},
          {"Plan", &approval.plan},
          {"Reason", &approval.reason},
          {"Approver", &approval.approver}};
}

/// Reads one payload; the first fault ends it.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) : rest_(payload) {}

  ReadApproval read() {
    if (rest_.size() > max_payload_bytes) return fail("its size is more than 4 MiB");
    if (rest_.find('\0') != std::string_view::npos) return fail("it has a zero byte");
    const std::size_t blank = rest_.find("\n\n");
    if (blank == std::string_view::npos) return fail("it has no message");
    if (!read_headers(rest_.substr(0, blank))) return result_;
    std::string_view message = rest_.substr(blank + 2);
    while (message.ends_with('\n')) message.remove_suffix(1);
    const std::size_t last = message.rfind("\n\n");
    if (last == std::string_view::npos) return fail("it has no trailers: `holdfast approve` writes them");
    if (!read_trailers(message.substr(last + 2))) return result_;
    return check();
  }

 private:
  ReadApproval fail(std::string why) {
    result_.fault = std::move(why);
    return result_;
  }

  bool read_headers(std::string_view text) {
    static constexpr std::array<std::string_view, 4> names = {"object ", "type ", "tag ", "tagger "};
    std::array<std::string_view, 4> values{};
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.starts_with(names[i])) {
        values[i] = line.substr(names[i].size());
        continue;
      }
      fail("its headers are not those of an annotated tag");
      return false;
    }
    if (!text.empty() || values[1] != "commit") {
      fail("its headers are not those of a tag of a commit");
      return false;
    }
    result_.approval.tag = values[2];
    object_ = values[0];
    return read_tagger(values[3]);
  }

  bool read_tagger(std::string_view text) {
    const std::size_t mail_end = text.rfind("> ");
    const std::string_view when = mail_end == std::string_view::npos ? "" : text.substr(mail_end + 2);
    const std::size_t space = when.find(' ');
    if (space == std::string_view::npos || !is_number(when.substr(0, space), 12)) {
      fail("it does not say who made it when");
      return false;
    }
    result_.approval.tagger = printable(std::string(text.substr(0, mail_end + 1)));
    result_.approval.time_s = std::stoll(std::string(when.substr(0, space)));
    return true;
  }

  bool read_trailers(std::string_view text) {
    std::size_t lines = 0;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      const std::size_t colon = line.find(": ");
      const bool taken = colon != std::string_view::npos && ++lines <= max_lines &&
                         read_trailer(line.substr(0, colon), line.substr(colon + 2));
      if (taken) continue;
      if (result_.fault.empty()) fail("its last paragraph has a line that is no trailer of an approval");
      return false;
    }
    return true;
  }

  bool read_trailer(std::string_view key, std::string_view value) {
    if (key == "Host" || key == "Unseen") return read_hosts(value, key == "Host");
    if (key == "Change") return read_change(value);
    Approval& approval = result_.approval;
    const auto texts = texts_of(approval);
    const auto found = texts.find(key);
    if (found == texts.end() || value.empty() || value.size() > max_text) return false;
    if (!found->second->empty()) {
      fail("it says \"" + std::string(key) + "\" twice");
      return false;
    }
    *found->second = printable(std::string(value));
    return true;
  }

  bool read_hosts(std::string_view value, bool seen) {
    std::vector<std::string_view> words = words_of(value);
    std::string digest;
    if (seen) {
      if (words.size() < 2 || !is_sha256(words.front())) return false;
      digest = words.front();
      words.erase(words.begin());
    }
    for (const std::string_view name : words) {
      if (!is_host_name(name)) return false;
      if (!result_.approval.hosts.emplace(name, HostDigest{.digest = digest}).second) {
        fail("it names a host twice");
        return false;
      }
    }
    return !words.empty();
  }

  bool read_change(std::string_view value) {
    constexpr std::size_t id_at = 2 * (short_digits + 1);
    if (value.size() <= id_at || value[short_digits] != ' ' || value[id_at - 1] != ' ') return false;
    const std::string_view of = value.substr(0, short_digits);
    const std::string_view digest = value.substr(short_digits + 1, short_digits);
    if (!is_hex(of, short_digits) || !is_hex(digest, short_digits)) return false;
    changes_[std::string(of)].emplace(printable(std::string(value.substr(id_at))), digest);
    return true;
  }

  ReadApproval check() {
    Approval& approval = result_.approval;
    for (const auto& [key, text] : texts_of(approval)) {
      if (text->empty()) return fail("it does not say \"" + std::string(key) + "\"");
    }
    if (!is_object_id(approval.commit) || !is_sha256(approval.plan)) return fail("it names no commit and no plan");
    if (approval.commit != object_) return fail("it is a tag of another commit than it speaks of");
    const auto name = approval_name(approval.tag);
    if (!name || name->environment != approval.environment) {
      return fail("it was signed as \"" + printable(approval.tag) + "\", which is no approval for \"" +
                  approval.environment + "\"");
    }
    if (plan_digest(approval.environment, approval.commit, approval.hosts) != approval.plan) {
      return fail("its plan is another than its hosts say");
    }
    for (auto& [host, one] : approval.hosts) {
      if (const auto found = changes_.find(one.digest.substr(0, short_digits)); found != changes_.end())
        one.changes = found->second;
    }
    return result_;
  }

  std::string_view rest_;
  std::string object_{};
  std::map<std::string, std::map<std::string, std::string>> changes_{};
  ReadApproval result_{};
};

}  // namespace

std::optional<ApprovalName> approval_name(std::string_view tag) {
  if (!tag.starts_with(prefix)) return std::nullopt;
  tag.remove_prefix(prefix.size());
  const std::size_t slash = tag.find('/');
  if (slash == std::string_view::npos || !is_host_name(tag.substr(0, slash))) return std::nullopt;
  const std::string_view number = tag.substr(slash + 1);
  if (!is_number(number, max_digits) || number.front() == '0') return std::nullopt;
  return ApprovalName{std::string(tag.substr(0, slash)), std::stoll(std::string(number))};
}

std::string approval_tag(const std::string& environment, std::int64_t number) {
  return std::string(prefix) + environment + "/" + std::to_string(number);
}

std::string plan_digest(const std::string& environment, const std::string& commit, const HostDigests& hosts) {
  std::string text = "holdfast plan 1\n" + environment + "\n" + commit + "\n";
  for (const auto& [name, host] : hosts) text += name + " " + (host.digest.empty() ? "-" : host.digest) + "\n";
  return sha256(text);
}

std::string approval_message(const Approval& approval) {
  std::string text = one_line("Approve " + approval.commit.substr(0, short_digits) + " for " + approval.environment +
                              ": " + approval.subject) +
                     "\n\n";
  text += "Environment: " + approval.environment + "\nCommit: " + approval.commit + "\nPlan: " + approval.plan +
          "\nReason: " + one_line(approval.reason) + "\nApprover: " + one_line(approval.approver) + "\n";
  std::map<std::string, std::vector<std::string>> groups;
  for (const auto& [name, host] : approval.hosts) groups[host.digest].push_back(name);
  std::size_t room = changes_told;
  for (const auto& [digest, names] : groups) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i % hosts_a_line == 0)
        text += (i == 0 ? "" : "\n") + std::string(digest.empty() ? "Unseen:" : "Host: " + digest);
      text += " " + names[i];
    }
    text += "\n";
    const auto& changes = approval.hosts.at(names.front()).changes;
    if (changes.size() > room) continue;
    room -= changes.size();
    for (const auto& [id, change] : changes) {
      text += "Change: " + digest.substr(0, short_digits) + " " + change + " " + id + "\n";
    }
  }
  return text;
}

ReadApproval read_approval(std::string_view payload) { return PayloadReader(payload).read(); }

}  // namespace holdfast
