#pragma once

#include <reconcilers/host/plan.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// The commit that made a manifest what it is, in words.
struct Asked {
  std::string by{};      // 9b1c2d3e4f50 "Greet politely" (A Tester, 2026-11-21); empty where it is not known
  bool is_live = false;  // the host has been at or after that commit already
};

/// What is known besides a host's plan.
struct Background {
  const Bundle* wanted = nullptr;  // of the commit that is planned for
  const Bundle* live = nullptr;    // of the commit that was verified on the host; null: none, or not to be had
  bool live_is_exact = true;       // false: the environment's settings are others than when that commit was deployed
  std::string live_commit{};       // empty: nothing was ever verified on this host
  /// Who asked for a resource to be as it is; or, with `gone`, for it not to be any more.
  std::function<Asked(const Origin& origin, bool gone)> asked{};
};

/// Why each change of a plan is there, in sentences: who asked for it, attribute by attribute, or what drifted from
/// what was deployed; for a unit, which of the things that it loads change. Pure but for `asked`.
std::map<PrimitiveId, std::vector<std::string>> reasons_of(const Plan& plan, const Background& known);

}  // namespace holdfast
