#pragma once

#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// The files of a first fleet by their path: two environments, a page that a unit serves with a health check, and
/// settings for a controller that reads the fleet from `repository`, an absolute path.
std::vector<std::pair<std::string, std::string>> starter_files(const std::string& repository);

}  // namespace holdfast
