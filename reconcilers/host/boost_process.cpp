// Boost.Process v2 in its separately compiled form: header-only mode doesn't link with Boost 1.81.
#include <boost/asio.hpp>

#include <boost/process/v2/src.hpp>
