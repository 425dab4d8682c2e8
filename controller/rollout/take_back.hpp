#pragma once

#include <controller/rollout/choice.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// A commit failed on one host, and all go back: it is held on every host that took it, with what was verified there
/// before. Adds to `holds` what it puts into the store. Asked again it does nothing more, so that a death in the middle
/// is made up for by the next poll.
void hold_where_taken(Store& store, const std::vector<HostView>& hosts, std::vector<Hold>& holds, std::int64_t now_ms);

/// Deployments that were healthy at first and whose hosts have gone back since, as the late watch wanted it, have ended
/// as rolled back.
void end_taken_back(Store& store, const std::vector<HostView>& hosts, const std::vector<Hold>& holds,
                    std::int64_t now_ms);

/// The verified commit that a host had before it took `commit`; empty where there was none or nothing is known of it.
std::string verified_before(Store& store, const std::string& environment, const std::string& host,
                            const std::string& commit);

}  // namespace holdfast
