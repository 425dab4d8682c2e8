#pragma once

#include <reconcilers/primitive.hpp>

#include <cstddef>
#include <vector>

namespace holdfast {

/// One node of the order: a primitive, what it comes after, and whether it goes towards absence.
struct OrderNode {
  PrimitiveId id{};
  std::vector<PrimitiveId> after{};  // names that are no node are passed over
  bool leaving = false;              // will be absent, or stopped
};

/// The indexes of `nodes` in the order in which they may change: each after what it needs, and what leaves before what
/// it needed. Stable: ties go by type, then by the order given (turned round for what leaves). Throws Error that prints
/// the cycle where `after` has one.
std::vector<std::size_t> order_of(const std::vector<OrderNode>& nodes);

}  // namespace holdfast
