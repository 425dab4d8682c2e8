#pragma once

#include <reconcilers/host/plan.hpp>
#include <reconcilers/host/state.hpp>
#include <reconcilers/host/system.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// What the judges are to see: the host with these actions done.
struct Rehearsal {
  std::vector<Validator> validators{};
  std::vector<Action> actions{};
};

struct Judgement {
  std::string name{};
  PrimitiveId id{};  // the first change that it judged
  bool ok = false;
  std::string output{};
};

/// Runs the validators where the planned files and links are already in place, and the host's are not touched: in a
/// process with mounts of its own, overlays over the folders concerned. Where that can't be had (a root prefix, no
/// root) only the validators of single files run, on staged copies; the others are told as passed, "not run here".
std::vector<Judgement> rehearse(System& system, const State& state, const std::string& transaction,
                                const Rehearsal& rehearsal);

/// The process with mounts of its own: reads the rehearsal that is prepared in the transaction's folder, writes its
/// findings to standard output as JSON.
int run_rehearsal(const State& state, const std::string& transaction);

/// The folders that overlays go over: for each path its ancestor at depth one, or two below /usr and /var.
std::vector<std::string> overlay_folders(const std::vector<Action>& actions);

/// Whether a program that ended with `exit_code` and said `output` found it right. Pure. What `systemd-analyze verify`
/// says of the unit itself counts although it exits with 0; what it says of other units never does.
bool is_accepted(const Validator& validator, int exit_code, const std::string& output);

}  // namespace holdfast
