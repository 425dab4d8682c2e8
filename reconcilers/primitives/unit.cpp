#include <reconcilers/host/systemctl.hpp>
#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/loaded.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/started.hpp>
#include <reconcilers/primitives/unit_states.hpp>

#include <manifests/error.hpp>

#include <chrono>

namespace holdfast {

namespace {

constexpr std::chrono::seconds job_deadline{300};

[[noreturn]] void throw_failed(System& system, const std::string& unit, const std::string& what) {
  throw Error(with_journal(system, unit, what));
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

UnitStatus require_running(System& system, const std::string& unit, const char* since) {
  UnitStatus status = status_of(system, unit);
  if (status.active == "failed" || status.sub == "auto-restart") {
    throw_failed(system, unit, "\"" + unit + "\" died right after its " + since + " (" + status.result + ")");
  }
  return status;
}

/// One that dies right away is a failed step.
void see_it_settle(Effects& effects, const std::string& unit, const UnitStatus& status) {
  if (!counts_as_started_at_once(status)) return;
  if (effects.started) return effects.started(unit);
  try {
    require_settled(effects.system, {{unit, std::chrono::steady_clock::now()}});
  } catch (const UnitDied& died) {
    throw Error(died.what);
  }
}

/// systemd refuses a unit that was started too often (StartLimitBurst) and counts our starts as those of a crash loop:
/// the sixth commit in ten seconds would fail for it. What it can't forget, of a unit that it has not loaded, is nothing.
void forget_earlier_starts(System& system, const std::string& unit) {
  system.run({.argv = {"systemctl", "--no-ask-password", "--quiet", "reset-failed", "--", unit}, .deadline = job_deadline});
}

void start(Effects& effects, const std::string& unit, const char* verb) {
  System& system = effects.system;
  const UnitStatus status = current_status(system, unit);
  if (status.load == "not-found") throw Error("there is no unit \"" + unit + "\"");
  forget_earlier_starts(system, unit);
  systemctl(system, {verb}, unit);
  see_it_settle(effects, unit, require_running(system, unit, "start"));
}

/// Nothing is started by it: whether the service does well with what it loaded is for the health watch to see.
void reload(Effects& effects, const std::string& unit) {
  System& system = effects.system;
  const UnitStatus status = current_status(system, unit);
  if (!status.can_reload || status.active != "active") return start(effects, unit, "restart");
  if (!system.run_unit_job(System::UnitJob::reload, unit)) systemctl(system, {"reload"}, unit);
  require_running(system, unit, "reload");
}

void stop(System& system, const std::string& unit) {
  const UnitStatus status = status_of(system, unit);
  if (status.load == "not-found" && status.active == "inactive") return;
  systemctl(system, {"stop"}, unit);
  if (status_of(system, unit).active == "failed") systemctl(system, {"reset-failed"}, unit);
}

void enable(System& system, const std::string& unit) {
  current_status(system, unit);
  // The links are all that boots go by; systemd reads everything again only where it goes on telling what was before.
  systemctl(system, {"enable", "--no-reload"}, unit);
  std::string state = status_of(system, unit).file_state;
  if (observed_enabled("enabled", state) != "enabled") {
    systemctl(system, {"daemon-reload"}, "");
    state = status_of(system, unit).file_state;
  }
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
      start(effects, unit, "start");
    } else if (step.verb == "unit.restart") {
      start(effects, unit, "restart");
    } else if (step.verb == "unit.reload") {
      reload(effects, unit);
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
