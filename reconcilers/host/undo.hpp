#pragma once

#include <reconcilers/host/planner.hpp>
#include <reconcilers/host/transaction_record.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// The way back of a transaction from where the host is now. Pure.
struct UndoPlan {
  std::vector<Move> moves{};
  std::vector<std::string> left{};  // edited by someone else since: not touched
};

/// When the machine has just booted, services are not started here: systemd does that, with what was put back.
enum class UndoTime { running, booting };

/// Everything that the transaction changed goes back to what it was; what is already so, needs nothing; what was
/// neither before nor by the transaction so, belongs to someone else and stays.
UndoPlan undo_of(const std::vector<Touched>& touched, const std::map<PrimitiveId, Attributes>& now, UndoTime time);

/// Folders that a transaction made and that stay in its undo, because something in them is none of holdfast's: told,
/// and no failure.
std::vector<std::string> kept_data(const std::vector<Move>& moves, const std::map<PrimitiveId, Attributes>& now);

/// What is not back where it should be, as sentences; empty when all is. Folders with data are not among it.
std::vector<std::string> not_undone(const std::vector<Move>& moves, const std::map<PrimitiveId, Attributes>& now);

}  // namespace holdfast
