#pragma once

#include <reconcilers/host/system.hpp>

#include <optional>
#include <string>

namespace holdfast {

/// What the runner remembers of a command: written before it begins and after it ended well, so that one that was cut
/// off is known as such by whoever comes next.
struct CommandRecord {
  std::string digest{};     // what it last ran for to its end; empty where it never did, or where nothing says
  std::string folder{};     // where it last began, without links: its undo finds the same program there
  bool unfinished = false;  // it began, and neither ended well nor was undone
  friend bool operator==(const CommandRecord&, const CommandRecord&) = default;
};

/// nullopt where nothing is remembered.
std::optional<CommandRecord> read_command_record(const System& system, const std::string& name);
void write_command_record(System& system, const std::string& name, const CommandRecord& record);
void remove_command_record(System& system, const std::string& name);

/// All that it said, for people; and its standard output alone, which its undo reads as input.
std::string command_log_path(const std::string& name);
std::string command_output_path(const std::string& name);

}  // namespace holdfast
