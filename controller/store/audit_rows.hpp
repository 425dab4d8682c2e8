#pragma once

#include <controller/audit/audit.hpp>

#include <SQLiteCpp/Database.h>

#include <cstdint>

namespace holdfast {

/// Puts an entry behind those that wait to be written to the audit branch. An id that waits already is not put again.
int insert_audit(SQLite::Database& database, AuditEntry entry);

}  // namespace holdfast
