#include <reconcilers/primitives/unit_states.hpp>

#include <reconcilers/primitives/place.hpp>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> texts) {
  return std::ranges::find(texts, text) != texts.end();
}

std::string text_of(const Attributes& attributes, const char* key) { return Value(attributes).text_or(key, ""); }

std::string observed_active(const std::string& active) {
  if (is_one_of(active, {"active", "activating", "reloading", "refreshing"})) return "running";
  return active == "failed" ? "failed" : "stopped";
}

/// Collects the steps of one unit in the order in which systemd wants them.
class UnitSteps {
 public:
  UnitSteps(const Wanted& wanted, const Attributes& from, const Attributes& to)
      : wanted_(wanted), from_(from), to_(to) {}

  Steps collect() {
    const bool goes_down = changed("active") && text_of(to_, "active") != "running";
    if (goes_down) add("unit.stop");
    if (changed("daemon") && text_of(to_, "daemon") == "current") add("unit.daemon_reload");
    if (changed("enabled")) set_enabled();
    if (!goes_down) set_running();
    return std::move(steps_);
  }

 private:
  [[nodiscard]] bool changed(const char* key) const { return differs(from_, to_, key); }

  void add(const char* verb) { steps_.list.push_back({verb, {{"name", wanted_.id.name}}}); }

  void set_enabled() {
    const std::string before = text_of(from_, "enabled");
    const std::string after = text_of(to_, "enabled");
    if (before == "masked") add("unit.unmask");
    if (after == "enabled") add("unit.enable");
    if (after == "masked") add("unit.mask");
    if (after == "disabled" && before != "masked") add("unit.disable");
  }

  void set_running() {
    if (text_of(to_, "active") != "running") return;
    const bool started = text_of(from_, "active") != "running";
    const bool other_load = changed("loaded");
    if (started) {
      add("unit.start");
    } else if (other_load) {
      const std::string on_change = Value(wanted_.parameters).text_or("on_change", "restart");
      if (on_change == "none") add("unit.daemon_reload");
      if (on_change == "reload") add("unit.reload");
      if (on_change == "restart") add("unit.restart");
    }
    if ((started || other_load) && to_.contains("loaded")) remember();
  }

  void remember() {
    add("unit.loaded");
    const auto loads = wanted_.parameters.find("loads");
    steps_.list.back().arguments["loads"] = loads == wanted_.parameters.end() ? Value(List()) : loads->second;
  }

  const Wanted& wanted_;
  const Attributes& from_;
  const Attributes& to_;
  Steps steps_;
};

}  // namespace

std::string observed_enabled(const std::string& wanted, const std::string& file_state) {
  if (file_state.empty()) return "disabled";
  if (file_state == "masked-runtime") return "masked";
  if (wanted == file_state) return file_state;
  const bool neither = is_one_of(file_state, {"static", "indirect", "generated", "transient"});
  if (wanted == "disabled" && neither) return "disabled";
  if (wanted == "enabled" && is_one_of(file_state, {"alias", "generated", "indirect"})) return "enabled";
  return file_state;
}

Attributes unit_attributes(const Wanted& wanted, const UnitStatus& status) {
  Attributes attributes;
  attributes["enabled"] = observed_enabled(text_of(wanted.attributes, "enabled"), status.file_state);
  attributes["active"] = observed_active(status.active);
  attributes["daemon"] = status.needs_daemon_reload ? "stale" : "current";
  if (attributes["active"] != Value("running")) return attributes;
  attributes["invocation"] = status.invocation;
  attributes["started_us"] = status.started_monotonic_us;
  attributes["changed_us"] = status.changed_monotonic_us;
  return attributes;
}

Steps unit_steps(const Wanted& wanted, const Attributes& from, const Attributes& to) {
  return UnitSteps(wanted, from, to).collect();
}

}  // namespace holdfast
