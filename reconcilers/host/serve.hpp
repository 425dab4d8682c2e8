#pragma once

#include <reconcilers/host/system.hpp>

namespace holdfast {

/// Speaks the runner protocol (docs/protocol.md) on two descriptors until the input ends. Throws Error where the other
/// side breaks the protocol; what a request asks for and can't have is an answer.
void serve(System& system, int input, int output);

}  // namespace holdfast
