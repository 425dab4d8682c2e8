#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

#include <string>

namespace holdfast {

/// Writes the bytes that a "file.put" step would put in place to `destination` instead (0600, the runner's own):
/// for rehearsals. Makes the secrets that the step needs.
void stage_file(Effects& effects, const Step& step, const std::string& destination);

/// Runs the `validate` program of a "file.put" step on a staged copy of what it would put in place; nothing happens for
/// a step without one. Throws Error with what the program said. Steps of an undo aren't validated: what was there is
/// right.
void validate_file(Effects& effects, const Step& step);

}  // namespace holdfast
