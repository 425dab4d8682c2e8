#include <controller/rollout/contended.hpp>

#include <controller/plan/times.hpp>
#include <manifests/digest.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <map>

namespace holdfast {

namespace {

constexpr std::size_t enough = 3;
constexpr std::int64_t within_ms = 600'000;

/// The first three of a row that was fast enough; none: empty.
std::vector<std::int64_t> fast_row(const std::vector<std::int64_t>& times) {
  for (std::size_t i = 0; i + enough <= times.size(); ++i) {
    if (times[i + enough - 1] - times[i] > within_ms) continue;
    return {times.begin() + static_cast<std::ptrdiff_t>(i), times.begin() + static_cast<std::ptrdiff_t>(i + enough)};
  }
  return {};
}

}  // namespace

std::string wanted_digest(const Bundle& bundle, const std::string& id) {
  const auto found = std::ranges::find_if(bundle.wanted, [&id](const Wanted& one) { return to_text(one.id) == id; });
  if (found == bundle.wanted.end()) return "";
  return sha256(to_json(List{Map(found->attributes), Map(found->parameters)}));
}

std::vector<Contended> contended(const std::vector<Fight>& fights, const Bundle& bundle) {
  std::map<std::pair<std::string, std::string>, std::vector<std::int64_t>> times;
  for (const Fight& one : fights) times[{one.id, one.wanted}].push_back(one.at_ms);
  std::vector<Contended> found;
  for (const auto& [key, at_ms] : times) {
    if (at_ms.size() < enough) continue;
    std::vector<std::int64_t> row = fast_row(at_ms);
    if (!row.empty() && wanted_digest(bundle, key.first) == key.second) found.push_back({key.first, std::move(row)});
  }
  return found;
}

std::string to_text(const std::vector<Contended>& contended) {
  std::string text;
  for (const Contended& one : contended) {
    std::string times;
    for (const std::int64_t at : one.at_ms) times += (times.empty() ? "" : ", ") + utc_text(at).substr(11, 8);
    text +=
        (text.empty() ? "" : "; ") + one.id + " was changed by somebody else 3 times within 10 minutes (" + times + ")";
  }
  return text;
}

}  // namespace holdfast
