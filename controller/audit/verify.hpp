#pragma once

#include <controller/git/branch_log.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// Something about a branch that no controller of ours writes.
struct TrailProblem {
  std::int64_t number = 0;  // of the entry; 0: about none
  std::string commit{};
  std::string what{};  // printable
};

struct TrailVerdict {
  std::int64_t entries = 0;
  std::int64_t number = 0;  // of the newest one
  std::string digest{};     // of its record
  std::vector<TrailProblem> problems{};
};

/// Follows the chain from the first commit to `tip`: each commit adds one record and touches nothing else, says what
/// its record says, has the next number, and names the digest of the record before it. Names every entry that was
/// changed, taken out, put in another order or written twice; at most `most` problems.
TrailVerdict verify_trail(const BranchLog& log, const std::string& tip, std::size_t most = 1'000);

}  // namespace holdfast
