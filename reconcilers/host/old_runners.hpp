#pragma once

#include <reconcilers/host/state.hpp>

namespace holdfast {

/// Takes away runners that newer ones have replaced. Kept are the newest three: a controller of the version before may
/// still be at work beside a new one, and coming back to it needs no upload; and whatever the links of the boot units
/// and timers lead to. Nothing is thrown: an old runner that stays costs a few MB.
void remove_old_runners(const State& state);

}  // namespace holdfast
