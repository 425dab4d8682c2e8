#pragma once

#include <controller/cli/approve_command.hpp>
#include <controller/cli/capture_command.hpp>
#include <controller/cli/context.hpp>
#include <controller/cli/gate_commands.hpp>
#include <controller/cli/suspend_commands.hpp>
#include <controller/cli/terminal.hpp>

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace holdfast {

/// What the command line says of a person's decisions.
struct PeopleOptions {
  DeployOptions approve{};
  OverrideOptions override_{};
  SuspendOptions suspend{};
  CaptureOptions capture{};
};

/// What a group of commands needs of the command line that it joins.
struct CommandGroup {
  std::function<CLI::App&(const std::string& name, const std::string& help, std::function<int()> work)> add{};
  std::function<Context()> open{};
  std::function<bool()> is_json{};
  std::function<Terminal()> terminal{};
};

/// The commands by which people decide what the controller may do: approve, override, suspend, resume, capture.
/// `options` must live as long as the command line.
void add_people_commands(const CommandGroup& group, PeopleOptions& options);

}  // namespace holdfast
