#pragma once

#include "controller.hpp"

#include <functional>
#include <string>
#include <vector>

namespace holdfast::simulation {

/// What one course of events came to.
struct Outcome {
  std::uint64_t digest = 0;               // of the trace
  std::vector<std::string> violations{};  // of what must hold; empty: all is well
  int commits = 0, transactions = 0, faults = 0;
  Time ended = 0;
};

struct Options {
  bool faults = true;
  std::function<void(const std::string& line)> on_trace{};
};

/// A whole fleet's life from one seed: hosts, controllers, commits good and bad, and faults of every kind; then the
/// faults end, and everything has to come to rest as it should.
Outcome simulate(std::uint64_t seed, const Options& options = {});

}  // namespace holdfast::simulation
