#include "golden.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace holdfast::test {

void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(HOLDFAST_GOLDEN) + "/plan/" + name;
  if (std::getenv("HOLDFAST_ACCEPT") != nullptr) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    WARN("skipped: " << path << " was written anew");
    return;
  }
  std::ifstream stream(path, std::ios::binary);
  const std::string kept{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  CHECK(text == kept);
}

}  // namespace holdfast::test
