#include <reconcilers/host/systemctl.hpp>
#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/loaded.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/unit_states.hpp>

#include <manifests/error.hpp>

#include <array>
#include <chrono>
#include <thread>

namespace holdfast {

namespace {

constexpr std::chrono::seconds job_deadline{300};
constexpr std::chrono::seconds ask_deadline{30};
/// When a service that counts as started at once is looked at again: one that dies right away is a failed step.
constexpr std::array settle = {std::chrono::milliseconds(100), std::chrono::milliseconds(200),
                               std::chrono::milliseconds(400)};

std::string journal_of(System& system, const std::string& unit) {
  const Command command{.argv = {"journalctl", "-u", unit, "-n", "20", "--no-pager", "-o", "cat"},
                        .deadline = ask_deadline};
  const Output output = system.run(command);
  return output.ok() ? output.out : std::string();
}

[[noreturn]] void throw_failed(System& system, const std::string& unit, const std::string& what) {
  const std::string lines = journal_of(system, unit);
  throw Error(what +
              (lines.empty() ? "" : "; its last journal lines:\n" + lines.substr(0, lines.find_last_not_of('\n') + 1)));
}

void systemctl(System& system, std::vector<std::string> arguments, const std::string& unit) {
  arguments.insert(arguments.begin(), {"systemctl", "--no-ask-password", "--quiet"});
  if (!unit.empty()) arguments.insert(arguments.end(), {"--", unit});
  const Command command{.argv = std::move(arguments), .deadline = job_deadline};
  const Output output = system.run(command);
  if (output.ok()) return;
  if (unit.empty()) throw Error(describe_failure(command, output));
  throw_failed(system, unit, describe_failure(command, output));
}

UnitStatus status_of(const System& system, const std::string& unit) { return show_units(system, {unit}).at(0); }

/// systemd reads unit files when it is told to; what a step does should be done to the files that are there now.
UnitStatus current_status(System& system, const std::string& unit) {
  UnitStatus status = status_of(system, unit);
  if (!status.needs_daemon_reload && status.load != "not-found") return status;
  systemctl(system, {"daemon-reload"}, "");
  return status_of(system, unit);
}

bool counts_as_started_at_once(const UnitStatus& status) {
  return status.type == "simple" || status.type == "exec" || status.type == "idle" || status.type == "forking";
}

void require_running(System& system, const std::string& unit) {
  UnitStatus status = status_of(system, unit);
  const auto check = [&] {
    if (status.active == "failed" || status.sub == "auto-restart") {
      throw_failed(system, unit, "\"" + unit + "\" died right after its start (" + status.result + ")");
    }
  };
  check();
  if (!counts_as_started_at_once(status)) return;
  for (const std::chrono::milliseconds wait : settle) {
    std::this_thread::sleep_for(wait);
    status = status_of(system, unit);
    check();
  }
}

void start(System& system, const std::string& unit, const char* verb) {
  const UnitStatus status = current_status(system, unit);
  if (status.load == "not-found") throw Error("there is no unit \"" + unit + "\"");
  if (status.active == "failed") systemctl(system, {"reset-failed"}, unit);
  systemctl(system, {verb}, unit);
  require_running(system, unit);
}

void reload(System& system, const std::string& unit) {
  const UnitStatus status = current_status(system, unit);
  if (!status.can_reload || status.active != "active") return start(system, unit, "restart");
  systemctl(system, {"reload"}, unit);
  require_running(system, unit);
}

void stop(System& system, const std::string& unit) {
  const UnitStatus status = status_of(system, unit);
  if (status.load == "not-found" && status.active == "inactive") return;
  systemctl(system, {"stop"}, unit);
  if (status_of(system, unit).active == "failed") systemctl(system, {"reset-failed"}, unit);
}

void enable(System& system, const std::string& unit) {
  current_status(system, unit);
  systemctl(system, {"enable"}, unit);
  const std::string state = status_of(system, unit).file_state;
  if (observed_enabled("enabled", state) == "enabled") return;
  throw Error("\"" + unit + "\" can't be enabled (it is " + (state.empty() ? "unknown" : state) +
              "): its unit file has no [Install] section; add one, or don't ask for it to be enabled");
}

void disable(System& system, const std::string& unit) {
  if (current_status(system, unit).load == "not-found") return;
  systemctl(system, {"disable"}, unit);
}

class UnitPrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::unit; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    std::vector<Attributes> observed;
    if (!system.abilities().units) {
      for (const Wanted* one : wanted) observed.push_back(one->attributes);
      return observed;
    }
    std::vector<std::string> names;
    for (const Wanted* one : wanted) names.push_back(one->id.name);
    const std::vector<UnitStatus> units = show_units(system, names);
    for (std::size_t i = 0; i < wanted.size(); ++i) observed.push_back(unit_attributes(*wanted[i], units[i]));
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    return unit_steps(wanted, from, to);
  }

  void execute(Effects& effects, const Step& step) const override {
    System& system = effects.system;
    const Value arguments = step.arguments;
    const std::string& unit = arguments.at("name").as_text();
    if (!is_unit_argument(unit)) throw Error("expected the full name of a unit, found \"" + unit + "\"");
    if (step.verb == "unit.daemon_reload") {
      current_status(system, unit);
    } else if (step.verb == "unit.enable") {
      enable(system, unit);
    } else if (step.verb == "unit.disable") {
      disable(system, unit);
    } else if (step.verb == "unit.mask") {
      systemctl(system, {"mask"}, unit);
    } else if (step.verb == "unit.unmask") {
      systemctl(system, {"unmask"}, unit);
    } else if (step.verb == "unit.start") {
      start(system, unit, "start");
    } else if (step.verb == "unit.restart") {
      start(system, unit, "restart");
    } else if (step.verb == "unit.reload") {
      reload(system, unit);
    } else if (step.verb == "unit.stop") {
      stop(system, unit);
    } else if (step.verb == "unit.loaded") {
      std::vector<PrimitiveId> loads;
      for (const std::string& id : arguments.at("loads").as_texts()) loads.push_back(primitive_id(id));
      remember_loaded(system, unit, loads);
    } else {
      refuse_verb(step.verb);
    }
  }
};

}  // namespace

const PrimitiveKind& unit_primitive() {
  static const UnitPrimitive primitive;
  return primitive;
}

}  // namespace holdfast
