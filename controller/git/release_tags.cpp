#include <controller/git/release_tags.hpp>

#include <controller/git/version.hpp>

#include <algorithm>
#include <vector>

namespace holdfast {

namespace {

struct Candidate {
  std::string name{};
  Version version{};
};

std::vector<Candidate> candidates_of(const Mirror& mirror, const ReleaseTags& tags) {
  const bool prereleases = tags.prereleases || asks_for_prereleases(tags.pattern);
  std::vector<Candidate> found;
  for (std::string& name : mirror.tag_names()) {
    if (!is_like(name, tags.pattern)) continue;
    auto version = version_in(name);
    if (!version || (!prereleases && !version->prerelease.empty())) continue;
    found.push_back({std::move(name), std::move(*version)});
  }
  return found;
}

}  // namespace

bool is_like(std::string_view name, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  // Each piece between two stars is taken where it is met first; the last one must be the end.
  for (std::size_t next = pattern.find('*'); next != std::string_view::npos; next = pattern.find('*')) {
    const std::size_t at = name.find(pattern.substr(0, next));
    if (at == std::string_view::npos) return false;
    name.remove_prefix(at + next);
    pattern.remove_prefix(next + 1);
  }
  return name.ends_with(pattern);
}

bool asks_for_prereleases(std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return false;
  const std::string_view before = pattern.substr(0, star);
  const bool within_version = before.empty() || std::string_view("v.0123456789").find(before.back()) != std::string_view::npos;
  if (within_version && pattern.substr(star + 1).starts_with('-')) return true;
  const auto begun = version_in(std::string(before) + "0");
  return begun && !begun->prerelease.empty();
}

std::optional<ReleaseTag> newest_release(const Mirror& mirror, const ReleaseTags& tags) {
  std::vector<Candidate> candidates = candidates_of(mirror, tags);
  std::ranges::sort(candidates, [&tags](const Candidate& a, const Candidate& b) {
    const auto order = compare(a.version, b.version);
    if (order != 0) return order > 0;
    if (a.name == tags.preferred || b.name == tags.preferred) return b.name != tags.preferred;
    return a.name < b.name;
  });
  for (const Candidate& one : candidates) {
    const auto commit = mirror.tag(one.name);
    if (commit && mirror.is_ancestor(*commit, tags.head)) return ReleaseTag{one.name, *commit};
  }
  return std::nullopt;
}

}  // namespace holdfast
