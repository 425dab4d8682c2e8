#pragma once

#include <cstddef>
#include <string>

namespace holdfast {

/// So many hexadecimal digits (a multiple of eight) from the system's own source of randomness, for names that nobody
/// else has.
std::string random_id(std::size_t digits);

/// Whether a text could be one: a name from a folder, or a file's content, may be anything.
bool is_random_id(const std::string& text, std::size_t digits);

}  // namespace holdfast
