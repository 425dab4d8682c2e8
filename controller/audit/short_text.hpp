#pragma once

#include <string>

namespace holdfast {

/// At most so many bytes and "…" behind them, cut between the characters of a UTF-8 text.
std::string cut(std::string text, std::size_t most);

}  // namespace holdfast
