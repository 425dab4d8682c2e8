#pragma once

#include <controller/cli/config.hpp>
#include <controller/rollout/controller.hpp>
#include <controller/store/life_sign.hpp>

#include <memory>
#include <string>

namespace holdfast {

/// What every command that touches git, hosts or the state needs, opened in one place: the configuration, the state
/// file, the mirror and the connections.
struct Context {
  ControllerConfig config{};
  ControllerSettings settings{};
  Clock clock{};
  std::size_t open_files = 0;  // how many this process may have; raised as far as it may be
  std::unique_ptr<LifeSign> life{};
  std::unique_ptr<Store> store{};
  std::unique_ptr<SessionPool> sessions{};
};

/// Opens all of it; makes the state folder (0700) where it is missing. `requested_by` empty: the login that runs this.
Context open_context(const ControllerConfig& config, const std::string& requested_by);

/// This machine's own name.
std::string machine_name();

/// Fetches and reads the root branch; throws Error with every problem of the environments rendered.
Policy fetch_policy(const Context& context);

/// The environment of that name; throws Error that lists those there are.
Environment find_environment(const Policy& policy, const std::string& name);

}  // namespace holdfast
