#pragma once

#include <controller/store/store.hpp>
#include <manifests/gates_policy.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast {

/// What came of asking one gate. Whatever can't be asked is not open, and says why.
struct GateAnswer {
  bool open = false;
  std::string gate{};  // its name: "environment staging"; one line, unique in its policy
  std::string why{};   // of one that is not open: what it asks for and what stands against it, at which times; the same
                       // words as long as nothing changed
  std::string found{};  // what was measured, where that is another each time: "5.31 on 2 processors"
};

/// Another environment must have been healthy at `commit`: `hosts` are its hosts as the store knows them. Pure.
GateAnswer ask(const EnvironmentGate& gate, const std::string& commit, const std::vector<Undisturbed>& hosts,
               std::int64_t now_ms);

/// Backups, by what each host of the environment said of its own when it was last asked. Pure.
GateAnswer ask(const BackupGate& gate, const std::vector<HostRecord>& hosts, std::int64_t now_ms);

/// A program on this machine; it is told HOLDFAST_ENVIRONMENT and HOLDFAST_COMMIT. Never throws: what can't be started
/// does not open.
GateAnswer ask_here(const CommandGate& gate, const std::string& environment, const std::string& commit);

/// Whether a commit has the very files of the one that is asked for: a merge commit that adds nothing to what it merges.
using SameFiles = std::function<bool(const std::string& commit)>;

/// All that is asked of an environment once, before a rollout begins: other environments, backups, programs here.
std::vector<GateAnswer> ask_environment(const GatesPolicy& gates, const std::string& environment,
                                        const std::string& commit, Store& store, std::int64_t now_ms,
                                        const SameFiles& same_files);

}  // namespace holdfast
