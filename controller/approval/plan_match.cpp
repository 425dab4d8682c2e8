#include <controller/approval/plan_match.hpp>

#include <manifests/digest.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <set>

namespace holdfast {

namespace {

constexpr std::size_t short_digits = 12;
constexpr std::size_t told = 4;

/// The primitives that one of the two changes, or that they change in different ways.
std::set<std::string> differing(const HostDigest& one, const HostDigest& other) {
  std::set<std::string> ids;
  const auto add = [&ids](const HostDigest& from, const HostDigest& to) {
    for (const auto& [id, change] : from.changes) {
      const auto found = to.changes.find(id);
      if (found == to.changes.end() || found->second != change) ids.insert(id);
    }
  };
  add(one, other);
  add(other, one);
  return ids;
}

}  // namespace

HostDigest host_digest(const Plan& plan) {
  HostDigest host;
  List actions;
  for (const Action& action : plan.actions) {
    const std::string id = to_text(action.id);
    const Value change = Map{{"kind", action.kind == ActionKind::prune ? "prune" : "change"},
                             {"id", id},
                             {"from", action.from},
                             {"to", action.to}};
    std::string shown = printable(id);
    for (char& letter : shown) {
      if (letter == '\n') letter = ' ';
    }
    host.changes[shown] = sha256(to_json(change)).substr(0, short_digits);
    actions.push_back(change);
  }
  host.digest = sha256(to_json(Value(Map{{"bundle", plan.bundle_digest}, {"actions", std::move(actions)}})));
  return host;
}

std::string mismatch(const Approval& approval, const std::string& host, const HostDigest& now) {
  const auto found = approval.hosts.find(host);
  if (found == approval.hosts.end()) return host + " was not part of it";
  if (found->second.digest.empty()) return host + " was out of reach when it was given";
  if (found->second.digest == now.digest) return "";
  const std::set<std::string> ids = differing(found->second, now);
  if (ids.empty()) return host + " differs now";
  std::string text = host + " differs now by ";
  std::size_t count = 0;
  for (const std::string& id : ids) {
    if (count == told) return text + " and " + std::to_string(ids.size() - told) + " more";
    text += (count++ == 0 ? "" : ", ") + id;
  }
  return text;
}

}  // namespace holdfast
