#pragma once

#include <string_view>
#include <vector>

namespace holdfast {

/// The store's schema as steps: migration N brings a file of version N-1 to N (PRAGMA user_version). Only appended to.
const std::vector<std::string_view>& store_migrations();

}  // namespace holdfast
