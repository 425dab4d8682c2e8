#pragma once

#include <controller/gates/gates.hpp>
#include <controller/store/store.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast {

/// Who waits, and for which commit to be let in.
struct Waiting {
  std::string environment{};
  std::string host{};  // empty: all of the environment's that lack the commit
  std::string commit{};
};

/// Keeps in the store what did not open, since when each of them waits, and tells each change once: what waits, and
/// that nothing does any more. Answers why it waits; "" where all is open. Throws Error where the store can't be used.
std::string remember_answers(Store& store, const Waiting& waiting, const std::vector<GateAnswer>& answers,
                             std::int64_t now_ms, const std::function<void(const std::string& line)>& tell);

/// A rollout that has begun: its environment's gates have let the commit in and are not asked for it again, until it is
/// at its end or another commit is wanted.
struct Begun {
  std::string commit{};   // empty: none
  bool overruns = false;  // it goes on when the window closes in which it began
};

/// Keeps the first word on a commit.
void remember_begun(Store& store, const std::string& environment, const Begun& begun);
void forget_begun(Store& store, const std::string& environment);
Begun begun_in(Store& store, const std::string& environment);

}  // namespace holdfast
