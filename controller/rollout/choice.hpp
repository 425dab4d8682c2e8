#pragma once

#include <controller/store/store.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// What one host's turn is for.
enum class Turn {
  steady,   // it has this desired state already: only drift can be found
  advance,  // a desired state that it does not have yet
  enforce,  // the new one is held or waits: keep the last verified one in force
  back,     // it has a held state and goes back to the one that was verified before
  look,     // a person took the host out of our hands: only what differs from the last verified state is told
  leave,    // nothing may be done: a failed rollback waits for a person, or there is no verified state
};

struct HostView {
  std::string host{};
  std::string wanted{};  // digest of the desired bundle
  std::string commit{};  // that it is of
  HostRecord record{};
  std::string waits{};  // why it may not take another desired state now; empty: it may
  std::string suspended{};  // why nothing may be changed there; empty: it may
};

struct Choice {
  std::string host{};
  Turn turn = Turn::steady;
  std::string why{};      // of enforce, back, look and leave, for people
  std::string back_to{};  // of back: the commit
};

/// Which turn each host gets, from what is wanted, what is live and what is held: pure. A desired state that is held on
/// one host advances on no other: one bad commit degrades one host.
std::vector<Choice> choose(const std::vector<HostView>& hosts, const std::vector<Hold>& holds);

}  // namespace holdfast
