#pragma once

#include <controller/connection.hpp>
#include <controller/git/mirror.hpp>
#include <controller/notify/settings.hpp>
#include <manifests/fleet.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// The webhook receiver; none where `listen` is empty.
struct WebhookConfig {
  std::string listen{};
  std::string path{};
  std::string secret_file{};
};

/// Who the commits of the audit branch are by, and whether they leave this machine.
struct AuditConfig {
  bool push = true;
  std::string name = "holdfast";
  std::string mail{};
};

/// Who approves from here, and with which key (a file or "agent").
struct ApproveConfig {
  std::string key{};
  std::string openpgp{};
  std::string name{};
  std::string mail{};
};

/// The controller's own settings: a manifest of kind Controller (`holdfast explain Controller`).
struct ControllerConfig {
  Remote repository{};
  std::string branch = "main";  // the root branch: environments and their policy are read from it only
  bool allow_rewrites = false;  // of the root branch
  LoadOptions load{};
  std::int64_t poll_ms = 30'000;
  std::int64_t sweep_ms = 60'000;
  std::string state{};  // folder of the mirrors and the state file
  std::size_t workers = 16;
  ConnectOptions connect{};
  WebhookConfig webhook{};
  AuditConfig audit{};
  ApproveConfig approve{};
  std::vector<SinkSettings> notify{};  // who is told what happened
  std::string file{};                  // where it was read; empty: none was there

  [[nodiscard]] std::string state_file() const { return state + "/state.db"; }
  [[nodiscard]] std::string processes_folder() const { return state + "/processes"; }
};

/// Reads `--config FILE`, else $HOLDFAST_CONFIG, ./holdfast.yaml, /etc/holdfast/holdfast.yaml; where there is none, but
/// the working directory is inside a git repository, that repository is the remote. `repository` and `state` (from the
/// command line) go over what the file says. Throws Error with all problems of the file, or with what to do where there
/// is neither.
ControllerConfig load_config(const std::string& file, const std::string& repository, const std::string& state);

}  // namespace holdfast
