#pragma once

#include <controller/git/mirror.hpp>
#include <controller/store/store.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// What is known of a commit that was rolled back.
struct RevertCase {
  Commit bad{};
  Deployment deployment{};  // that was undone
  std::vector<DeploymentEvent> events{};
  std::vector<Commit> others{};  // that came with it, since the verified commit
};

/// The message of the commit that takes it back: what failed, what the units wrote meanwhile, what happened, and
/// trailers for programs. The kept texts have no secrets; they are printable, and at most 16 KiB of them are told.
std::string revert_message(const RevertCase& one);

}  // namespace holdfast
