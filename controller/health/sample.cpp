#include <controller/health/sample_parts.hpp>

#include <controller/health/dialled.hpp>
#include <controller/health/http_client.hpp>
#include <controller/health/match.hpp>
#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::int64_t default_within_ms = 5'000;
constexpr std::int64_t longest_within_ms = 600'000;
constexpr std::int64_t grace_ms = 500;

using std::chrono::milliseconds;

std::int64_t milliseconds_of(Deadline::duration time) { return std::chrono::duration_cast<milliseconds>(time).count(); }

/// A unit that systemd starts again by itself is "activating"; "failed" is the end of its tries.
Shortfall look_at_unit(const Value& spec, const HostProbe::Unit& unit, std::map<std::string, std::int64_t>& restarts,
                       const std::string& check) {
  const std::string name = "\"" + printable(spec.at("name").as_text()) + "\"";
  const auto [seen, first] = restarts.try_emplace(check, unit.restarts);
  const std::int64_t moved = first ? 0 : unit.restarts - seen->second;
  // Counted from here again: one restart costs the passes so far, and judge() counts the moves.
  seen->second = unit.restarts;
  if (unit.load == "unmanageable") return {};  // below a root prefix: the plan leaves units out, and says so
  if (unit.load != "loaded") return "expected unit " + name + " to be loaded, found " + excerpt(unit.load);
  if (unit.active != "active" && unit.active != "reloading") {
    return "expected unit " + name + " to be active, found " + printable(unit.active) + " (" + printable(unit.sub) +
           ")";
  }
  if (moved > 0 && spec.text_or("restarts", "unmoved") == "unmoved") {
    return "unit " + name + " was restarted by systemd" + (moved > 1 ? " " + std::to_string(moved) + " times" : "");
  }
  return {};
}

void sample_unit(const Check& check, const Value& spec, HostProbe& probe, const Limit& limit,
                 std::map<std::string, std::int64_t>& restarts, Sample& sample) {
  const HostProbe::Unit unit = probe.unit(spec.at("name").as_text(), limit.latest);
  sample.restarts = std::max<std::int64_t>(0, unit.restarts);
  sample.gave_up = unit.active == "failed";
  sample.detail = look_at_unit(spec, unit, restarts, check.name);
}

Shortfall tcp_from_controller(const std::string& address, const Limit& limit) {
  if (address.starts_with("/")) return "a unix socket can only be reached with `from: host`";
  const HttpResponse response = ask_directly({.url = "http://" + address + "/", .connect_only = true}, limit.latest);
  if (response.timed_out) return limit.hung();
  return response.failure;
}

}  // namespace

std::int64_t Limit::took_ms() const { return milliseconds_of(std::chrono::steady_clock::now() - begun); }

Shortfall Limit::overrun() const {
  const std::int64_t took = took_ms();
  if (took <= within_ms) return {};
  return "took " + milliseconds_text(took) + ", limit " + milliseconds_text(within_ms);
}

Shortfall Limit::hung() const { return "no answer within " + milliseconds_text(std::min(within_ms, took_ms())); }

Limit limit_of(const Value& spec, Deadline latest) {
  const std::int64_t within =
      std::clamp<std::int64_t>(spec.int_or("within_ms", default_within_ms), 1, longest_within_ms);
  const Deadline begun = std::chrono::steady_clock::now();
  return {.within_ms = within, .begun = begun, .latest = std::min(latest, begun + milliseconds(within + grace_ms))};
}

bool from_controller(const Value& spec) { return spec.text_or("from", "host") == "controller"; }

Shortfall ask_tcp(const Value& tcp, HostProbe& probe, const Limit& limit) {
  const std::string& address = tcp.at("address").as_text();
  Shortfall found;
  if (from_controller(tcp)) {
    found = tcp_from_controller(address, limit);
  } else {
    const Dialled dialled = dial_answered(probe, address, limit.latest);
    found = dialled.timed_out ? limit.hung() : dialled.refused;
  }
  if (found.empty()) return limit.overrun();
  return "expected a connection to \"" + printable(address) + "\", found: " + found;
}

Shortfall ask_command(const Value& command, HostProbe& probe, const Limit& limit) {
  const std::int64_t allowed = std::max<std::int64_t>(
      1, std::min(limit.within_ms, milliseconds_of(limit.latest - std::chrono::steady_clock::now())));
  // The host ends the command at its time; the answer may take a moment longer to arrive here.
  const HostProbe::Result result = probe.run(command.at("argv").as_texts(), command.text_or("user", "root"), allowed,
                                             std::chrono::steady_clock::now() + milliseconds(allowed + 10 * grace_ms));
  if (result.timed_out) {
    return "did not end within " + milliseconds_text(allowed) + ", said " + excerpt(result.output);
  }
  const std::int64_t wanted = command.int_or("exit", 0);
  if (result.exit_code != wanted) {
    return "expected exit code " + std::to_string(wanted) + ", found " + std::to_string(result.exit_code) + ": " +
           excerpt(result.output);
  }
  if (const Value* output = command.find("output"); output != nullptr) {
    if (auto shortfall = text_shortfall("the output", *output, result.output)) return *shortfall;
  }
  return {};
}

Sample sample(const Check& check, HostProbe& probe, std::map<std::string, std::int64_t>& restarts, Deadline latest) {
  Sample sample{.check = check.name};
  const auto [kind, spec] = [&]() -> std::pair<std::string_view, const Value*> {
    for (const std::string_view name : {"http", "tcp", "unit", "command"}) {
      if (const Value* found = check.spec.find(name); found != nullptr) return {name, found};
    }
    return {"", nullptr};
  }();
  const Limit limit = limit_of(spec == nullptr ? Value() : *spec, latest);
  if (kind == "http") {
    sample.detail = ask_http(*spec, probe, limit);
  } else if (kind == "tcp") {
    sample.detail = ask_tcp(*spec, probe, limit);
  } else if (kind == "unit") {
    sample_unit(check, *spec, probe, limit, restarts, sample);
  } else if (kind == "command") {
    sample.detail = ask_command(*spec, probe, limit);
  } else {
    sample.detail = "the check is of no known kind: this controller is older than the manifest";
  }
  sample.passed = sample.detail.empty();
  sample.took_ms = limit.took_ms();
  sample.at_ms = milliseconds_of(std::chrono::steady_clock::now().time_since_epoch());
  return sample;
}

std::vector<Sample> sample_round(const std::vector<Check>& checks, HostProbe& probe,
                                 std::map<std::string, std::int64_t>& restarts, Deadline latest) {
  std::vector<Sample> samples;
  samples.reserve(checks.size());
  for (const Check& check : checks) samples.push_back(sample(check, probe, restarts, latest));
  return samples;
}

}  // namespace holdfast
