#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

/// When the first of the certificates in a PEM text expires, in seconds since the epoch. Throws Error where
/// there is none or one can't be read.
std::int64_t certificate_expires_s(const std::string& pem);

}  // namespace holdfast
