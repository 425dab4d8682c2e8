#pragma once

#include <reconcilers/primitive.hpp>

#include <map>
#include <vector>

namespace holdfast {

/// One thing that a confirmed transaction put under management. Only what holdfast itself made may be removed again;
/// what was there before is released.
struct InventoryEntry {
  bool created = false;
  Wanted wanted{};  // as it was last confirmed, without bulk: how it is removed, and in what order
};

using Inventory = std::map<PrimitiveId, InventoryEntry>;

Value to_value(const Inventory& inventory);
/// Throws Error where the value is no inventory.
Inventory inventory_from(const Value& value);

/// What the bundle no longer names and holdfast created, as wanted: absent, or for a unit stopped and disabled.
/// Packages are only released: others may need them by now. Older releases beside a wanted one are not among them: how
/// many stay is said by the wanted one.
std::vector<Wanted> prune_candidates(const Bundle& bundle, const Inventory& inventory);

/// The inventory once `bundle` is confirmed: `made` are the ids that this transaction created, `removed` those that it
/// took away.
Inventory next_inventory(const Inventory& inventory, const Bundle& bundle, const std::vector<PrimitiveId>& made,
                         const std::vector<PrimitiveId>& removed);

}  // namespace holdfast
