#pragma once

#include <string>

namespace holdfast {

/// Who this controller is to hosts, also after its state file was lost: random digits in `<folder>/controller-id`
/// (0600), made the first time, by one of several processes. Throws Error where the file can't be made or is none.
std::string controller_id(const std::string& folder);

}  // namespace holdfast
