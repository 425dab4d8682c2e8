#pragma once

#include <manifests/fleet.hpp>
#include <manifests/tree.hpp>
#include <reconcilers/host/plan.hpp>
#include <reconcilers/kinds/lower.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// What was changed by hand on one host, and the commit that says what the host should be.
struct CaptureInput {
  const Tree& tree;  // of the commit
  const Environment& environment;
  LoadOptions load{};
  std::string host{};
  const Plan& plan;                                // from what the host is to what the commit says
  const std::map<std::string, std::string>& live;  // digest -> bytes, of files whose content may be shown
};

/// Something that manifests can't be made to say, or may not.
struct CaptureLeft {
  std::string id{};  // "file:/etc/motd"
  std::string why{};
};

struct Captured {
  std::map<std::string, std::string> files{};  // path in the tree -> its new bytes
  std::vector<std::string> taken{};            // ids that the new files say as the host has them
  std::vector<CaptureLeft> left{};
};

/// Turns what was changed by hand into changes of manifests and the files that they name: pure. Every one is proven:
/// the changed tree is loaded and lowered for the host again, and says of that primitive what the host has. Where that
/// can't be had, nothing is changed for it and `left` says why. Secrets and contents that are never shown are not asked
/// for. Throws Error where the commit itself has problems.
Captured capture(const CaptureInput& input);

}  // namespace holdfast
