#pragma once

#include <string>

namespace holdfast {

/// Runs statements on a database, which is made where it is missing.
void execute_sql(const std::string& path, const std::string& sql);
/// The first column of the first row.
std::string query_sql(const std::string& path, const std::string& sql);

}  // namespace holdfast
