#include <controller/approval/approval_push.hpp>

#include <controller/git/publish.hpp>
#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>
#include <cstdint>

namespace holdfast {

namespace {

constexpr int most_tries = 10;

std::int64_t next_number(const Mirror& mirror, const std::string& environment) {
  std::int64_t last = 0;
  for (const std::string& tag : mirror.tag_names()) {
    const auto name = approval_name(tag);
    if (name && name->environment == environment) last = std::max(last, name->number);
  }
  return last + 1;
}

}  // namespace

bool push_approval(Mirror& mirror, Approval& approval, const WriteApproval& write, Deadline deadline) {
  std::int64_t number = next_number(mirror, approval.environment);
  for (int tries = 0; tries < most_tries; ++tries) {
    approval.tag = approval_tag(approval.environment, number);
    const std::string id = write(approval);
    if (id.empty()) return false;
    HOLDFAST_FAILPOINT("approve.push");
    const Pushed pushed = push(mirror, {{id, "refs/tags/" + approval.tag}}, deadline);
    if (pushed.rejected.empty()) return true;
    mirror.fetch(deadline);
    const std::int64_t next = next_number(mirror, approval.environment);
    if (next <= number) {
      throw Error("the remote does not take the tag " + approval.tag + ": " + pushed.rejected.front().reason +
                  "; whoever approves needs the right to push tags holdfast/approve/*");
    }
    number = next;
  }
  throw Error("others approved " + approval.environment + " at the same moment, " + std::to_string(most_tries) +
              " times over: approve again");
}

}  // namespace holdfast
