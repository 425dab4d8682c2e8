#pragma once

#include <reconcilers/kinds/assembly.hpp>
#include <reconcilers/kinds/lower.hpp>

#include <vector>

namespace holdfast {

/// Each validator once, in the order of the resources.
std::vector<Validator> finish_validators(const std::vector<Draft>& drafts);

/// Puts commit ids in the place of "@Release/NAME" and makes the names of the checks unique.
void finish_checks(Lowered& lowered, const std::vector<Draft>& drafts);

/// Sorted, and each with the line of the manifest that it speaks of.
void finish_problems(std::vector<Problem>& problems, const Tree& tree);

}  // namespace holdfast
