#pragma once

#include <string>

namespace holdfast::test {

/// The text is what is kept in tests/golden/plan; HOLDFAST_ACCEPT=1 keeps the new one instead and says so.
void check_golden(const std::string& name, const std::string& text);

}  // namespace holdfast::test
