#include <controller/approval/commit_range.hpp>

#include <algorithm>
#include <cctype>
#include <deque>
#include <set>

namespace holdfast {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

}  // namespace

CommitRange commits_since(const Mirror& mirror, const std::string& wanted, const std::vector<std::string>& applied,
                          std::size_t most) {
  std::vector<std::string> ends;
  std::ranges::copy_if(applied, std::back_inserter(ends),
                       [&](const std::string& id) { return mirror.commit(id).has_value(); });
  CommitRange range;
  std::deque<std::string> next = {wanted};
  std::set<std::string> met = {wanted};
  while (!next.empty()) {
    const std::string id = next.front();
    next.pop_front();
    if (std::ranges::any_of(ends, [&](const std::string& end) { return id == end || mirror.is_ancestor(id, end); }))
      continue;
    const auto commit = mirror.commit(id);
    if (!commit) continue;
    if (range.commits.size() == most) {
      range.whole = false;
      break;
    }
    for (const std::string& parent : commit->parents) {
      if (met.insert(parent).second) next.push_back(parent);
    }
    range.commits.push_back(*commit);
  }
  return range;
}

std::string mail_of(const std::string& author) {
  const std::size_t begin = author.rfind('<');
  if (begin == std::string::npos || !author.ends_with('>')) return "";
  return author.substr(begin + 1, author.size() - begin - 2);
}

bool is_author(const std::string& author, const std::string& name, const std::vector<std::string>& mails) {
  const std::size_t end = author.rfind(" <");
  if (!name.empty() && end != std::string::npos && lower(author.substr(0, end)) == lower(name)) return true;
  const std::string mail = lower(mail_of(author));
  return !mail.empty() && std::ranges::any_of(mails, [&](const std::string& one) { return lower(one) == mail; });
}

}  // namespace holdfast
