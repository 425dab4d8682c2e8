#include "database.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace holdfast {

void execute_sql(const std::string& path, const std::string& sql) { static_cast<void>(query_sql(path, sql)); }

std::string query_sql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) throw std::runtime_error("cannot open " + path);
  std::string first;
  const auto take = [](void* to, int count, char** values, char**) {
    auto* text = static_cast<std::string*>(to);
    if (count > 0 && values[0] != nullptr && text->empty()) *text = values[0];
    return 0;
  };
  const int result = sqlite3_exec(database, sql.c_str(), take, &first, nullptr);
  const std::string fault = sqlite3_errmsg(database);
  sqlite3_close(database);
  if (result != SQLITE_OK) throw std::runtime_error(fault);
  return first;
}

}  // namespace holdfast
