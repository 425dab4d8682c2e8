#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

#include <string>

namespace holdfast {

/// Runs the `validate` program of a "file.put" step on a staged copy of what it would put in place; nothing happens for
/// a step without one. Makes the secrets that it needs. Throws Error with what the program said. Steps of an undo
/// aren't validated: what was there is right.
void validate_file(Effects& effects, const Step& step);

}  // namespace holdfast
