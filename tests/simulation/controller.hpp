#pragma once

#include "host.hpp"
#include "repository.hpp"

#include <manifests/environment.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::simulation {

/// A machine that runs controllers, one after the other: its disk holds the state file between them.
class ControllerHost : public Computer {
 public:
  ControllerHost(Machine& machine, const std::string& name, const std::string& folder, const Repository& repository,
                 std::vector<std::unique_ptr<Host>>& hosts);

  void start();
  /// Dead at once; the next one finds what was on the disk then.
  void kill();
  [[nodiscard]] bool runs() const { return process_ != nullptr; }
  void lose_state();
  /// Where the running one keeps its state, or the next one will.
  [[nodiscard]] std::string state_path() const { return state_path_; }
  [[nodiscard]] Process* process() const { return process_; }

  std::int64_t poll_ms = 5'000;
  std::size_t behind = 0;  // how many commits it has not fetched yet
  std::function<void(const std::string& line)> on_line{};

 private:
  void run();
  void take_over_state();

  Machine& machine_;
  std::string folder_;
  const Repository& repository_;
  std::vector<std::unique_ptr<Host>>& hosts_;
  Process* process_ = nullptr;
  std::string state_path_;
  int incarnation_ = 0;
};

inline constexpr const char* environment_name = "production";
/// In which steps the hosts take a commit: drawn by the seed.
RolloutPolicy policy_of(std::uint64_t seed);
Environment environment_of(const std::vector<std::unique_ptr<Host>>& hosts, std::uint64_t seed);

}  // namespace holdfast::simulation
