// holdfast_simulation --seed S --count N [--trace] [--each] [--calm]; without these words it is a program of tests.
#define CATCH_CONFIG_RUNNER
#include "world.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

namespace {

using namespace holdfast::simulation;

struct Wish {
  std::uint64_t seed = 0;
  std::uint64_t count = 1;
  bool trace = false;
  bool faults = true;
  bool each = false;  // tells of every seed
  bool given = false;
};

Wish wish_from(int count, char** words) {
  Wish wish;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--seed" && i + 1 < count) {
      wish.seed = std::strtoull(words[++i], nullptr, 10);
      wish.given = true;
    } else if (word == "--count" && i + 1 < count) {
      wish.count = std::strtoull(words[++i], nullptr, 10);
      wish.given = true;
    } else if (word == "--trace") {
      wish.trace = wish.given = true;
    } else if (word == "--each") {
      wish.each = wish.given = true;
    } else if (word == "--calm") {
      wish.faults = false;
      wish.given = true;
    }
  }
  return wish;
}

int run(const Wish& wish) {
  std::uint64_t failed = 0;
  Options options{.faults = wish.faults};
  if (wish.trace) options.on_trace = [](const std::string& line) { std::cout << line << "\n" << std::flush; };
  for (std::uint64_t seed = wish.seed; seed < wish.seed + wish.count; ++seed) {
    const Outcome outcome = simulate(seed, options);
    for (const std::string& one : outcome.violations) std::cout << "seed " << seed << ": " << one << "\n";
    failed += outcome.violations.empty() ? 0 : 1;
    if (wish.count == 1 || wish.each) {
      std::cout << "seed " << seed << ": " << outcome.commits << " commits, " << outcome.transactions
                << " transactions, " << outcome.faults << " faults in " << outcome.ended / second << " s; trace "
                << std::hex << outcome.digest << std::dec << "\n";
    }
  }
  std::cout << wish.count << " seeds, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  const Wish wish = wish_from(count, words);
  return wish.given ? run(wish) : Catch::Session().run(count, words);
}
