#pragma once

#include <string>

namespace holdfast {

/// Connects two descriptors to a TCP port of this host ("127.0.0.1:5000", "[::1]:80") or a unix socket (an absolute
/// path) and passes bytes both ways until either side closes. Tells on `output` first whether it connected: '+', or
/// '-', the reason and a line end. Gives the exit code.
int dial(const std::string& address, int input, int output);

}  // namespace holdfast
