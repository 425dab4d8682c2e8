#pragma once

#include <controller/plan/plan_view.hpp>

namespace holdfast {

/// How the bytes of a file change: a diff where both are texts that may be shown, digests and sizes where not, and
/// neither for a sensitive file, of which at most the names of an environment's variables are told.
ContentView content_view(const HostPlan& host, const Action& action);

/// Makes the views of all files now, so that each is made once and nothing is asked for contents later.
void keep_contents(HostPlan& host);

}  // namespace holdfast
