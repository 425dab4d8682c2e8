#pragma once

#include <string>

namespace holdfast {

/// Why libgit2 can't sign in with this private key file, in words; "" where it can. Refused before any connection: RSA
/// keys (its SSH library signs with SHA-1 only, which servers no longer take) and keys with a passphrase.
std::string refuse_identity(const std::string& path);

}  // namespace holdfast
