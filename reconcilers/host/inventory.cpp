#include <reconcilers/host/inventory.hpp>

#include <reconcilers/host/linux_paths.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

constexpr const char* bulky[] = {"entries", "build", "secrets"};

Wanted without_bulk(Wanted wanted) {
  for (const char* key : bulky) wanted.parameters.erase(key);
  return wanted;
}

bool is_unit_file(const PrimitiveId& id, const std::string& unit) {
  return (id.type == PrimitiveType::file || id.type == PrimitiveType::link) && id.name.ends_with("/" + unit) &&
         id.name.find("/systemd/") != std::string::npos;
}

/// A unit is ours to stop where its unit file is: nginx.service of a package is only released.
bool is_own_unit(const InventoryEntry& entry, const Inventory& inventory) {
  return std::ranges::any_of(entry.wanted.after, [&](const PrimitiveId& id) {
    const auto file = inventory.find(id);
    return is_unit_file(id, entry.wanted.id.name) && file != inventory.end() && file->second.created;
  });
}

/// Another release in the same folder is wanted: this is an older one of it, which goes when it is old enough.
bool is_older_release(const PrimitiveId& id, const Bundle& bundle) {
  return std::ranges::any_of(bundle.wanted, [&](const Wanted& one) {
    return one.id.type == PrimitiveType::tree && parent_of(one.id.name) == parent_of(id.name);
  });
}

Wanted gone(const InventoryEntry& entry) {
  Wanted wanted = entry.wanted;
  if (wanted.id.type == PrimitiveType::unit) {
    wanted.attributes = {{"active", "stopped"}, {"enabled", "disabled"}};
  } else {
    wanted.attributes = {{"present", false}};
  }
  return wanted;
}

}  // namespace

Value to_value(const Inventory& inventory) {
  List list;
  for (const auto& [id, entry] : inventory) {
    Value value = to_value(entry.wanted);
    value["created"] = entry.created;
    list.push_back(std::move(value));
  }
  return Map{{"version", 1}, {"entries", std::move(list)}};
}

Inventory inventory_from(const Value& value) {
  Inventory inventory;
  for (const Value& one : value.at("entries").as_list()) {
    InventoryEntry entry{.created = one.at("created").as_bool(), .wanted = wanted_from(one)};
    inventory.insert_or_assign(entry.wanted.id, entry);
  }
  return inventory;
}

std::vector<Wanted> prune_candidates(const Bundle& bundle, const Inventory& inventory) {
  if (!bundle.prune) return {};
  std::set<PrimitiveId> wanted;
  for (const Wanted& one : bundle.wanted) wanted.insert(one.id);
  std::vector<Wanted> candidates;
  for (const auto& [id, entry] : inventory) {
    // A package that holdfast installed may be needed by others by now: only `absent` takes it away. What a command did
    // is data: its manifest going away is no reason to undo it.
    if (wanted.contains(id) || id.type == PrimitiveType::package || id.type == PrimitiveType::command) continue;
    if (id.type == PrimitiveType::tree && is_older_release(id, bundle)) continue;
    const bool ours = id.type == PrimitiveType::unit ? is_own_unit(entry, inventory) : entry.created;
    if (ours) candidates.push_back(gone(entry));
  }
  return candidates;
}

Inventory next_inventory(const Inventory& inventory, const Bundle& bundle, const std::vector<PrimitiveId>& made,
                         const std::vector<PrimitiveId>& removed) {
  Inventory next;
  for (const Wanted& one : bundle.wanted) {
    const auto present = one.attributes.find("present");
    if (present != one.attributes.end() && present->second == Value(false)) continue;
    const auto known = inventory.find(one.id);
    const bool created = std::ranges::find(made, one.id) != made.end();
    next[one.id] = {.created = known == inventory.end() ? created : known->second.created, .wanted = without_bulk(one)};
  }
  for (const auto& [id, entry] : inventory) {
    const bool kept = entry.created && std::ranges::find(removed, id) == removed.end();
    // A directory with data stays ours: it goes once it is empty.
    if (!next.contains(id) && kept && (!bundle.prune || id.type == PrimitiveType::directory)) next[id] = entry;
  }
  return next;
}

}  // namespace holdfast
