#pragma once

#include <controller/store/store.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

/// A person lets one commit of an environment past its windows, freezes and gates, for a time. What is held stays held,
/// and what must be approved must be approved.
struct Override {
  std::string environment{};
  std::string commit{};
  std::string by{};
  std::string reason{};
  std::int64_t since_ms = 0;
  std::int64_t until_ms = 0;
  bool used = false;  // it has let the commit past something that was closed
};

/// In place of the environment's former one.
void put_override(Store& store, const Override& given);
/// The one that is in force at that moment; `commit` empty: for whatever commit.
std::optional<Override> override_of(Store& store, const std::string& environment, const std::string& commit,
                                    std::int64_t now_ms);
/// Ends it; false where none was in force.
bool end_override(Store& store, const std::string& environment, std::int64_t now_ms);

/// "override by alice until 2026-11-21 15:00:00Z: disk is being replaced"
std::string override_text(const Override& given);

}  // namespace holdfast
