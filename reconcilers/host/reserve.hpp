#pragma once

#include <reconcilers/host/plan.hpp>
#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// Space that an undo will need, held in a file until then, so that a disk that gets full meanwhile does not stop it.
struct Reserve {
  std::string path{};       // of the file that holds it
  std::uint64_t bytes = 0;
  std::uint64_t device = 0;
  PrimitiveId because{};    // the first change that needs it; without a name: the journal
};

/// What has to be held, one for each file system: old contents that would have to be written again, and beside the
/// transaction's journal room for what is written while it is undone.
std::vector<Reserve> reserves_for(const System& system, const std::string& transaction,
                                  const std::vector<Action>& actions);

/// Lets go of what the undo of this action writes, right before it does; `reserves` are paths.
void release_for(System& system, const std::vector<std::string>& reserves, const Action& undo);
/// Lets go of what the journal needs to tell of an undo.
void release_journal(System& system, const std::vector<std::string>& reserves);

}  // namespace holdfast
