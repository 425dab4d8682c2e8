#pragma once

#include <controller/gates/gates.hpp>
#include <controller/health/health.hpp>

namespace holdfast {

/// A program ended, here or on a host: is it as the gate wants it? Pure.
GateAnswer command_answer(const CommandGate& gate, const HostProbe::Result& result);

}  // namespace holdfast
