#include <reconcilers/host/dead_man.hpp>

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/detach.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/transaction_record.hpp>

#include <chrono>
#include <thread>

namespace holdfast {

namespace {

constexpr const char* program_link = "/var/lib/holdfast/bin/recover";
/// What units of the host's own start (backups): the runner of the newest transaction.
constexpr const char* stable_link = "/var/lib/holdfast/bin/holdfast-host";
constexpr std::chrono::milliseconds watch_step{200};

std::string timer_of(const std::string& transaction) { return "holdfast-deadman-" + transaction; }

/// Before anything starts that could read what is put back; services are systemd's own business then.
constexpr const char* early_unit = R"([Unit]
Description=Undo what was not confirmed before this boot
DefaultDependencies=no
RequiresMountsFor=/var/lib/holdfast
After=local-fs.target systemd-remount-fs.service
Before=sysinit.target shutdown.target
Conflicts=shutdown.target
ConditionPathExists=/var/lib/holdfast/open

[Service]
Type=oneshot
ExecStart=/var/lib/holdfast/bin/recover recover --boot
Delegate=

[Install]
WantedBy=sysinit.target
)";

/// When everything runs: sees to packages, and that what ran before runs again.
constexpr const char* late_unit = R"([Unit]
Description=Finish undoing what was not confirmed before this boot
After=multi-user.target network-online.target
ConditionPathExists=/var/lib/holdfast/open

[Service]
Type=oneshot
ExecStart=/var/lib/holdfast/bin/recover recover
Delegate=

[Install]
WantedBy=multi-user.target
)";

/// Put on the disk and linked, as `systemctl enable` does: the next boot reads it there, and nothing else has to.
void put_unit(System& system, const std::string& name, const std::string& text, const std::string& target) {
  const std::string folder = "/etc/systemd/system/";
  const std::string path = folder + name;
  if (system.read(path, 1U << 16U) != text) system.write(path, text, {.mode = 0644, .uid = {}, .gid = {}});
  const std::string wants = folder + target + ".wants";
  if (system.read_link(wants + "/" + name) == path) return;
  if (!system.stat(wants)) system.make_directory(wants, {.mode = 0755, .uid = {}, .gid = {}});
  system.put_link(wants + "/" + name, path);
}

void arm_boot(System& system) {
  const std::string program = own_program();
  for (const char* link : {program_link, stable_link}) {
    if (system.read_link(link) != program) system.put_link(link, program);
  }
  put_unit(system, "holdfast-recover.service", early_unit, "sysinit.target");
  put_unit(system, "holdfast-recover-late.service", late_unit, "multi-user.target");
}

void run(System& system, const std::vector<std::string>& argv) {
  const Command command{.argv = argv};
  const Output output = system.run(command);
  if (!output.ok()) throw Error(describe_failure(command, output));
}

}  // namespace

void arm_dead_man(System& system, const State& state, const std::string& transaction, std::int64_t deadman_ms) {
  if (!system.abilities().units) {
    start_detached(system, "", {"watch", transaction, std::to_string(deadman_ms)});
    return;
  }
  make_private_folder(state.path("bin"));
  arm_boot(system);
  HOLDFAST_FAILPOINT("deadman.boot");
  if (system.start_transient({.name = timer_of(transaction),
                              .description = "holdfast dead-man's switch",
                              .argv = own_command(system, {"recover", transaction}),
                              .after = std::chrono::milliseconds(deadman_ms)})) {
    return;
  }
  std::vector<std::string> argv = {"systemd-run",
                                   "--quiet",
                                   "--unit=" + timer_of(transaction),
                                   "--on-active=" + std::to_string(deadman_ms) + "ms",
                                   "--property=Delegate=",
                                   "--timer-property=AccuracySec=100ms",
                                   "--timer-property=OnUnitInactiveSec=2s",
                                   "--description=holdfast dead-man's switch",
                                   "--"};
  for (std::string& argument : own_command(system, {"recover", transaction})) argv.push_back(std::move(argument));
  run(system, argv);
}

void disarm_dead_man(System& system, const std::string& transaction) {
  if (!system.abilities().units) return;  // the process that waits sees the end by itself
  if (system.run_unit_job(System::UnitJob::stop, timer_of(transaction) + ".timer")) return;
  const Command command{.argv = {"systemctl", "--quiet", "stop", timer_of(transaction) + ".timer"}};
  static_cast<void>(system.run(command));  // gone already is fine, and a timer that stays finds nothing to do
}

bool is_shutting_down(System& system) {
  if (!system.abilities().units) return false;
  return system.run({.argv = {"systemctl", "is-system-running"}}).out.starts_with("stopping");
}

void watch_dead_man(System& system, const State& state, const std::string& transaction, std::int64_t deadman_ms) {
  const std::int64_t deadline = boot_clock_ms() + deadman_ms;
  const Command recover{.argv = own_command(system, {"recover", transaction}), .deadline = std::chrono::hours(1)};
  while (state.open_transaction() == transaction) {
    std::this_thread::sleep_for(watch_step);
    if (boot_clock_ms() < deadline) continue;
    static_cast<void>(system.run(recover));
    std::this_thread::sleep_for(watch_step);
  }
}

}  // namespace holdfast
