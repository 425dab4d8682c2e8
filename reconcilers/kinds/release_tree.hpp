#pragma once

#include <reconcilers/kinds/lowering.hpp>

namespace holdfast {

/// A release's source tree as a `tree` primitive carries it.
struct ReleaseEntries {
  List entries{};  // parameters.entries
  std::string digest{};
};

/// Checks each entry (nothing may lead out of the release, no submodule), and adds its content to the
/// draft. `reserved` is the name that holdfast itself writes into the release.
ReleaseEntries add_release_entries(Lowering& to, const std::string& repository, const SourceTree& source,
                                   const std::string& reserved);

}  // namespace holdfast
