#pragma once

#include <manifests/resource.hpp>
#include <manifests/tree.hpp>
#include <reconcilers/host/plan.hpp>

#include <map>
#include <string>

namespace holdfast {

/// One primitive that is not as its manifest says.
struct ManifestChange {
  const Resource& resource;
  const Wanted& wanted;
  const Action& action;                            // `from` is what the host has
  const std::map<std::string, std::string>& live;  // digest -> bytes
  const Tree& tree;                                // with the changes so far
};

/// Changes the manifest, or the file that its `source` names, to say what the host has; `files` gets the new bytes by
/// path. Throws Error that says why it can't.
void change_manifest(const ManifestChange& change, std::map<std::string, std::string>& files);

}  // namespace holdfast
