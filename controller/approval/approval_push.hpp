#pragma once

#include <controller/approval/approval_tag.hpp>
#include <controller/git/mirror.hpp>

#include <functional>
#include <string>

namespace holdfast {

/// Makes the tag object of an approval, under the name that it has by then: its id, or "" to end the attempt.
using WriteApproval = std::function<std::string(const Approval& approval)>;

/// Pushes an approval as holdfast/approve/ENVIRONMENT/N, with the next N as the mirror knows them, and sets its name.
/// Where somebody else has taken that number meanwhile, the mirror is fetched and the next one tried, at most ten
/// times. False where `write` ended it. Throws Error where the remote does not take the tag for another reason, with
/// its word.
bool push_approval(Mirror& mirror, Approval& approval, const WriteApproval& write, Deadline deadline);

}  // namespace holdfast
