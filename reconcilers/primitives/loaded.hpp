#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// States of the primitives that a unit loads (`parameters.loads`), each with its observed or its wanted attributes.
using LoadedStates = std::vector<std::pair<PrimitiveId, Attributes>>;

/// The digest over what a unit loads: of files the content, of links the target, of trees the digest, of packages the
/// version, "absent" of what isn't there.
std::string loaded_digest(const LoadedStates& states);

/// What the running process of a unit was started with, or reloaded since: the remembered digest where it holds for
/// this invocation, and nobody reloaded the unit since; else the digest of what is on the disk, where none of it changed
/// after the process started, or was reloaded; else "unknown". nullopt where the unit doesn't run.
std::optional<std::string> observed_loaded(const System& system, const std::string& unit, const Attributes& observed,
                                           const LoadedStates& observed_loads);

/// Remembers for a unit that its current invocation has loaded what is on the disk now.
void remember_loaded(System& system, const std::string& unit, const std::vector<PrimitiveId>& loads);

}  // namespace holdfast
