#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

namespace holdfast {

/// Does a "tree.put" step: makes the release folder what its arguments say, from the vault and from the releases beside
/// it, runs the build in it, gives it to its owner and records it. What is right already is left alone.
void put_tree(Effects& effects, const Step& step);

/// Gives everything in the folder to `owner` and `group` of the arguments.
void own_tree(System& system, const Value& arguments);

/// Runs the build of a "tree.put" step in the finished folder. Its whole output is kept in a log below the state
/// folder; throws Error with its last lines.
void build_tree(Effects& effects, const std::string& path, const Value& arguments);

/// The log of the build of that folder.
std::string build_log_path(const std::string& path);

}  // namespace holdfast
