// The one translation unit that holds Catch2's main; it takes a minute to compile and never changes.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
