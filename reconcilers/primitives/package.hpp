#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

#include <vector>

namespace holdfast {

/// One "package.apply" step for many: one apt transaction per host. Throws Error for a step of another verb; the last
/// one counts where a package is named twice.
Step merge_package_steps(const std::vector<Step>& steps);

/// The argument list of the apt transaction of a "package.apply" step.
std::vector<std::string> apt_arguments(const Step& step);

}  // namespace holdfast
