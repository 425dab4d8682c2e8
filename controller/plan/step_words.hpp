#pragma once

#include <controller/plan/plan_view.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// The programs that an action's steps run because a manifest says so, each as one line: any step with an `argv` (a
/// command) or with `build.steps` (a release). Primitives that run something need only carry it like that.
std::vector<std::string> commands_of(const std::vector<Step>& steps);

/// What a rollback does about this change: "removes it", "puts content and mode back", "restarts it"; empty where it
/// does nothing. `view` is of the same action, as far as it is made.
std::string undo_words(const Action& action, const ChangeView& view);

}  // namespace holdfast
