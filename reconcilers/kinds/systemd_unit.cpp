#include <reconcilers/kinds/checks.hpp>
#include <reconcilers/kinds/kind.hpp>

#include <manifests/formats.hpp>

#include <algorithm>
#include <optional>

namespace holdfast {

namespace {

constexpr std::string_view unit_folder = "/etc/systemd/system/";

/// The files that the unit itself is made of, and what of them decides about the rest.
struct UnitFiles {
  std::vector<PrimitiveId> ids{};
  std::optional<std::string> text{};
  [[nodiscard]] bool can_be_enabled() const { return text && text->find("[Install]") != std::string::npos; }
};

bool is_template(const std::string& unit) { return unit.find("@.") != std::string::npos; }

std::string unit_path(const std::string& unit) { return std::string(unit_folder) + unit; }

void add_drop_ins(Lowering& to, UnitFiles& files) {
  const Value* drop_ins = to.spec().find("dropIns");
  if (drop_ins == nullptr || drop_ins->as_map().empty()) return;
  const std::string folder = unit_path(to.name()) + ".d";
  if (!to.absent()) to.add(PrimitiveType::directory, folder, {{"owner", "root"}, {"group", "root"}, {"mode", 0755}});
  for (const auto& [name, content] : drop_ins->as_map()) {
    const std::string pointer = pointer_to("/spec/dropIns", name);
    if (!name.ends_with(".conf") || !is_relative_path(name) || name.find('/') != std::string::npos) {
      to.problem(pointer, "\"" + name + "\" is no name of a drop-in", "systemd reads \"NAME.conf\" only");
      continue;
    }
    const std::string path = folder + "/" + name;
    files.ids.push_back(to.absent() ? to.add_absent(PrimitiveType::file, path).id
                                    : to.add_file(path, to.content(content, pointer), {}, 0644).id);
  }
}

UnitFiles add_files(Lowering& to) {
  UnitFiles files;
  if (to.absent()) {
    files.ids.push_back(to.add_absent(PrimitiveType::file, unit_path(to.name())).id);
  } else if (to.spec().find("text") != nullptr || to.spec().find("source") != nullptr) {
    files.text = to.content(to.spec(), "/spec");
    files.ids.push_back(to.add_file(unit_path(to.name()), *files.text, {}, 0644).id);
  }
  add_drop_ins(to, files);
  return files;
}

/// "enabled", "disabled", "masked", or "" for unmanaged.
std::string enablement(Lowering& to, const UnitFiles& files) {
  const Value* enabled = to.spec().find("enabled");
  const Value* masked = to.spec().find("masked");
  if (masked != nullptr && masked->as_bool()) {
    if (files.text) {
      to.problem("/spec/masked", "a unit whose file is managed can't be masked", "take \"text\" or \"source\" away");
    }
    if ((enabled != nullptr && enabled->as_bool()) || to.spec().text_or("state", "") == "running") {
      to.problem("/spec/masked", "a masked unit can't be enabled or running", "take \"enabled\" and \"state\" away");
    }
    return "masked";
  }
  if (enabled == nullptr) {
    return files.can_be_enabled() ? "enabled" : "";
  }
  if (enabled->as_bool() && files.text && !files.can_be_enabled()) {
    to.problem("/spec/enabled", "\"" + to.name() + "\" can't be enabled: its unit file has no [Install] section",
               "add one, or take \"enabled\" away");
  }
  return enabled->as_bool() ? "enabled" : "disabled";
}

/// The value of `key =` of the unit file, the last where there are several; "" where there is none.
std::string setting(const std::string& text, std::string_view key) {
  std::string found;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    const std::size_t equals = line.find('=');
    const std::size_t last = line.find_last_not_of(" \t", equals - 1);
    if (equals != std::string_view::npos && equals > 0 && line.substr(0, last + 1) == key) {
      const std::size_t value = line.find_first_not_of(" \t", equals + 1);
      found = value == std::string_view::npos ? "" : line.substr(value, line.find_last_not_of(" \t\r") - value + 1);
    }
    begin = end + 1;
  }
  return found;
}

/// A timer, socket or path unit starts another unit, which must be known to systemd before.
void add_activated(Lowering& to, Wanted& unit, const UnitFiles& files) {
  const std::size_t dot = to.name().rfind('.');
  const std::string type = to.name().substr(dot);
  if (type != ".timer" && type != ".socket" && type != ".path") return;
  std::string started = files.text ? setting(*files.text, type == ".socket" ? "Service" : "Unit") : "";
  if (!is_unit_name(started)) started = to.name().substr(0, dot) + ".service";
  unit.after.push_back({PrimitiveType::file, unit_path(started)});
}

void add_loads(Lowering& to, Wanted& unit, const UnitFiles& files) {
  const Value* on_change = to.spec().find("onChange");
  if (on_change != nullptr) unit.parameters["on_change"] = *on_change;
  if (on_change == nullptr && !files.ids.empty()) unit.parameters["on_change_default"] = "restart";
  for (const PrimitiveId& id : files.ids) {
    if (to.absent()) {
      unit.after.push_back(id);
    } else {
      add_load(unit, id);
    }
  }
  if (!to.absent()) to.refer(unit.id, "loads", ReferenceUse::loads);
}

/// An instance such as app@1.service is made of the template app@.service, where that is managed too.
void add_template(Lowering& to, const Wanted& unit) {
  const std::size_t at = to.name().find('@');
  if (at == std::string::npos || to.absent()) return;
  const std::string name = to.name().substr(0, at + 1) + to.name().substr(to.name().rfind('.'));
  to.draft.references.push_back({unit.id, "SystemdUnit/" + name, ReferenceUse::loads_if_there, to.resource().position});
}

Wanted& add_unit(Lowering& to, const UnitFiles& files) {
  Attributes attributes;
  if (to.absent()) {
    attributes["enabled"] = "disabled";
    attributes["active"] = "stopped";
  } else {
    if (const std::string enabled = enablement(to, files); !enabled.empty()) attributes["enabled"] = enabled;
    if (const Value* state = to.spec().find("state")) attributes["active"] = *state;
  }
  Wanted& unit = to.add(PrimitiveType::unit, to.name(), std::move(attributes));
  add_loads(to, unit, files);
  add_template(to, unit);
  add_activated(to, unit, files);
  return unit;
}

void add_health(Lowering& to) {
  if (to.absent()) return;
  if (to.spec().text_or("state", "") == "running") add_unit_check(to, to.name(), "unmoved", "/spec/state");
  const Value* health = to.spec().find("health");
  if (health == nullptr) return;
  std::size_t index = 0;
  for (const Value& check : health->as_list()) add_written_check(to, check, "/spec/health/" + std::to_string(index++));
}

void add_verification(Lowering& to, const UnitFiles& files) {
  if (to.absent() || files.ids.empty() || !to.spec().bool_or("verify", true)) return;
  Validator validator;
  validator.name = "systemd-analyze verify " + to.name();
  validator.argv = {"systemd-analyze", "verify", files.text ? unit_path(to.name()) : to.name()};
  for (const PrimitiveId& id : files.ids) validator.folders.push_back(id.name);
  validator.origin = to.origin();
  to.draft.validators.push_back(std::move(validator));
}

void refuse_template_state(Lowering& to) {
  for (const char* member : {"state", "enabled", "masked", "loads", "health"}) {
    if (to.spec().find(member) == nullptr || to.absent()) continue;
    to.problem(pointer_to("/spec", member),
               "\"" + to.name() + "\" is a template: \"" + member + "\" belongs to an instance of it",
               "write a SystemdUnit for \"" + std::string(to.name()).insert(to.name().find('@') + 1, "1") + "\"");
  }
}

void lower_systemd_unit(Lowering& to) {
  if (!is_unit_name(to.name())) {
    to.problem("/metadata/name", "\"" + to.name() + "\" must be the full name of a unit",
               "add \".service\" or its type");
    return;
  }
  const UnitFiles files = add_files(to);
  for (const PrimitiveId& id : files.ids) to.offer(id);
  if (is_template(to.name())) {
    refuse_template_state(to);
  } else {
    add_unit(to, files);
  }
  add_verification(to, files);
  add_health(to);
}

}  // namespace

Kind systemd_unit_kind() { return {"SystemdUnit", lower_systemd_unit}; }

}  // namespace holdfast
