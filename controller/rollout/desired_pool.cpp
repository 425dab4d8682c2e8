#include <controller/rollout/desired_pool.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_compared = 8;  // what differs on every host is not compared with all of a thousand

bool same(const Origin& a, const Origin& b) { return a.resource == b.resource && a.position == b.position; }

bool same(const Wanted& a, const Wanted& b) {
  return a.id == b.id && a.attributes == b.attributes && a.parameters == b.parameters && a.after == b.after &&
         same(a.origin, b.origin);
}

bool same(const Validator& a, const Validator& b) {
  return a.name == b.name && a.argv == b.argv && a.folders == b.folders && same(a.origin, b.origin);
}

bool same(const Check& a, const Check& b) { return a.name == b.name && a.spec == b.spec && same(a.origin, b.origin); }

/// The kept one that equals `item`, or `item` once it is kept; `known` are the latest of its name.
template <typename Item>
const Item* keep(Item&& item, std::deque<Item>& kept, std::vector<const Item*>& known) {
  for (const Item* one : known) {
    if (same(*one, item)) return one;
  }
  kept.push_back(std::move(item));
  if (known.size() == most_compared) known.pop_back();
  known.insert(known.begin(), &kept.back());
  return known.front();
}

}  // namespace

DesiredPool::Packed DesiredPool::pack(Lowered lowered) {
  Packed packed;
  for (Wanted& one : std::exchange(lowered.bundle.wanted, {})) {
    std::vector<const Wanted*>& known = wanted_by_id_[one.id];
    packed.wanted.push_back(keep(std::move(one), wanted_, known));
  }
  for (Validator& one : std::exchange(lowered.bundle.validators, {})) {
    std::vector<const Validator*>& known = validators_by_name_[one.name];
    packed.validators.push_back(keep(std::move(one), validators_, known));
  }
  for (Check& one : lowered.checks) {
    std::vector<const Check*>& known = checks_by_name_[one.name];
    packed.checks.push_back(keep(std::move(one), checks_, known));
  }
  for (auto& [digest, content] : lowered.contents) {
    packed.contents.push_back(&*contents_.try_emplace(digest, std::move(content)).first);
  }
  packed.head = std::move(lowered.bundle);
  return packed;
}

Lowered DesiredPool::unpack(const Packed& packed) {
  Lowered lowered;
  lowered.bundle = packed.head;
  for (const Wanted* one : packed.wanted) lowered.bundle.wanted.push_back(*one);
  for (const Validator* one : packed.validators) lowered.bundle.validators.push_back(*one);
  for (const Check* one : packed.checks) lowered.checks.push_back(*one);
  for (const auto* one : packed.contents) lowered.contents.insert(*one);
  return lowered;
}

}  // namespace holdfast
