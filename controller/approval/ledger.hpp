#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

struct SeenApproval {
  std::string object{};  // empty: it was deleted, and its name may be given again
  std::string commit{};  // that it is of
  friend bool operator==(const SeenApproval&, const SeenApproval&) = default;
};

/// What the controller remembers of an environment's approvals, so that none counts twice, and none that was moved or
/// taken away comes back. Tags are known by the id of their object.
struct ApprovalLedger {
  std::string commit{};                                      // that is being rolled out with `used`
  std::int64_t used_ms = 0;                                  // when the first of them was
  std::vector<std::string> used{};                           // objects
  std::map<std::string, SeenApproval> seen{};                // by the names of tags that counted
  std::vector<std::pair<std::string, std::string>> spent{};  // object, why it counts no more; the newest at the end
  std::map<std::string, std::int64_t> tried_ms{};            // when a host that is out of reach was asked last
  std::string wanted{};                                      // the commit that was asked about last
  std::vector<std::string> applied{};                        // what the hosts had when it was wanted first

  /// What comes with a commit is counted from what the hosts had before it, also while they take it one by one.
  void want(const std::string& id, const std::vector<std::string>& live);
  [[nodiscard]] std::string why_spent(const std::string& object) const;
  void spend(const std::string& object, const std::string& why);
  /// All that were used: their rollout is over.
  void spend_used(const std::string& why);
  friend bool operator==(const ApprovalLedger&, const ApprovalLedger&) = default;
};

/// The note of the store that holds an environment's ledger.
std::string approvals_note(const std::string& environment);
std::string to_text(const ApprovalLedger& ledger);
/// An empty one for "" or what can't be read: approvals are then asked for again where the hosts have moved on.
ApprovalLedger ledger_from(const std::string& text);

}  // namespace holdfast
