#include "nemesis.hpp"

#include <array>
#include <cerrno>

namespace holdfast::simulation {

Time Nemesis::some(Time least, Time most) {
  return least + static_cast<Time>(machine_.random(static_cast<std::uint64_t>(most - least)));
}

void Nemesis::strike() {
  if (over_) return;
  // The ones that the design is about come most often.
  static constexpr std::array kinds = {Kind::kill_runner,
                                       Kind::kill_runner,
                                       Kind::kill_runner,
                                       Kind::cut_power,
                                       Kind::cut_power,
                                       Kind::reset,
                                       Kind::reset,
                                       Kind::partition,
                                       Kind::partition,
                                       Kind::slow,
                                       Kind::disk,
                                       Kind::edit,
                                       Kind::clock,
                                       Kind::kill_controller,
                                       Kind::kill_controller,
                                       Kind::stop_controller,
                                       Kind::stop_controller};
  Armed fault{.kind = kinds[machine_.random(kinds.size())]};
  const bool of_controller =
      fault.kind == Kind::kill_controller || fault.kind == Kind::stop_controller || fault.kind == Kind::lose_state;
  if (of_controller) {
    fault.target = controllers_[machine_.random(controllers_.size())].get();
  } else {
    fault.target = hosts_[machine_.random(hosts_.size())].get();
  }
  fault.hits = 1 + machine_.random(machine_.chance(0.5) ? 60 : 500);
  ++count_;
  if (machine_.chance(0.15)) return act(fault);
  armed_ = fault;
}

void Nemesis::reaches_point(Process& process, const std::string& point) {
  if (!armed_ || process.computer == nullptr) return;
  if (process.computer != armed_->target) return;
  if (--armed_->hits > 0) return;
  const Armed fault = *armed_;
  armed_.reset();
  machine_.trace("strikes at " + point);
  if (fault.kind == Kind::kill_runner) machine_.kill(process);
  act(fault);
}

void Nemesis::act(const Armed& fault) {
  for (const auto& host : hosts_) {
    if (host.get() == fault.target) return act_on_host(fault.kind, *host);
  }
  for (const auto& controller : controllers_) {
    if (controller.get() == fault.target) return act_on_controller(fault.kind, *controller);
  }
}

void Nemesis::act_on_host(Kind kind, Host& host) {
  switch (kind) {
    case Kind::kill_runner:
      if (host.busy()) machine_.kill(*host.processes().begin()->second);
      break;
    case Kind::cut_power:
      host.cut_power(some(3 * second, 60 * second));
      break;
    case Kind::reset:
      machine_.trace(host.name + " resets its connections");
      host.reset_connections();
      break;
    case Kind::partition:
      host.partition(machine_.now() + some(1 * second, machine_.chance(0.3) ? 300 * second : 40 * second));
      break;
    case Kind::slow:
      host.slow = machine_.chance(0.5) ? 400 : 20;
      machine_.at(machine_.now() + some(10 * second, 60 * second), [&host] { host.slow = 1; });
      break;
    case Kind::disk:
      machine_.trace(host.name + " has a failing disk");
      host.failing_disk = machine_.chance(0.5) ? 1 : 0.1;
      host.failing_error = machine_.chance(0.5) ? ENOSPC : EIO;
      machine_.at(machine_.now() + some(100 * ms, 20 * second), [&host] { host.failing_disk = 0; });
      break;
    case Kind::edit:
      if (!host.exists(configuration_path)) break;
      machine_.trace(host.name + " is edited by somebody");
      checker_.tampered(host, configuration_path);
      host.put(configuration_path, "version=somebody mode=good\n");
      break;
    case Kind::clock:
      host.wall_offset += machine_.chance(0.5) ? 86'400 * second : -86'400 * second;
      break;
    default:
      break;
  }
}

void Nemesis::act_on_controller(Kind kind, ControllerHost& controller) {
  if (kind == Kind::stop_controller) {
    machine_.trace(controller.name + " stands still");
    if (controller.process() != nullptr)
      controller.process()->frozen_until = machine_.now() + some(5 * second, 60 * second);
    return;
  }
  const bool loses = kind == Kind::lose_state;
  machine_.at(machine_.now() + some(100 * ms, 30 * second), [&controller, loses] {
    if (controller.runs()) return;
    if (loses) controller.lose_state();
    controller.start();
  });
  controller.kill();
}

void Nemesis::end() {
  over_ = true;
  armed_.reset();
  for (const auto& host : hosts_) {
    host->failing_disk = 0;
    host->slow = 1;
  }
}

}  // namespace holdfast::simulation
