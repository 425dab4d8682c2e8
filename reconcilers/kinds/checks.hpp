#pragma once

#include <reconcilers/kinds/lowering.hpp>

#include <string>

namespace holdfast {

/// Adds the check written at `pointer` in the form of reconcilers/check.hpp: durations in milliseconds, lists where one
/// value would do, and `from` decided.
void add_written_check(Lowering& to, const Value& check, const std::string& pointer);
/// The same for what stands under `http:`.
void add_http_check(Lowering& to, const Value& http, const std::string& pointer);
/// A unit stays active without being restarted.
void add_unit_check(Lowering& to, const std::string& unit, const std::string& restarts, const std::string& pointer);

}  // namespace holdfast
