#include <reconcilers/kinds/env_quoting.hpp>
#include <reconcilers/kinds/kind.hpp>

#include <manifests/formats.hpp>

namespace holdfast {

namespace {

Value environment_of(Lowering& to) {
  Map environment;
  const Value* written = to.spec().find("environment");
  if (written == nullptr) return environment;
  for (const auto& [name, value] : written->as_map()) {
    const std::string text = to_scalar_text(value);
    const std::string pointer = pointer_to("/spec/environment", name);
    if (!is_variable_name(name)) {
      to.problem(pointer, "\"" + name + "\" is no name of a variable",
                 "names are letters, digits and \"_\", and do not begin with a digit");
    }
    if (text.find('\0') != std::string::npos) to.problem(pointer, "the value of \"" + name + "\" holds a zero byte");
    environment[name] = text;
  }
  return environment;
}

/// What tells that there is nothing to do: exactly one.
void add_guard(Lowering& to, Wanted& command) {
  int guards = 0;
  for (const char* member : {"creates", "unless", "onChange"}) guards += to.spec().find(member) != nullptr ? 1 : 0;
  if (guards != 1) {
    to.problem("/spec",
               "expected exactly one of \"creates\", \"unless\" and \"onChange\", found " +
                   std::string(guards == 0 ? "none" : "several"),
               "without one nobody could tell whether it is to be run; \"onChange: []\" runs it once");
    return;
  }
  for (const char* member : {"creates", "unless"}) {
    if (const Value* value = to.spec().find(member)) command.parameters[member] = *value;
  }
  if (to.spec().find("onChange") == nullptr) return;
  command.parameters["loads"] = List{};
  to.refer(command.id, "onChange", ReferenceUse::loads);
  to.offer(command.id);
}

/// How it is taken back, or why it can't be.
void add_undo(Lowering& to, Wanted& command) {
  const Value* undo = to.spec().find("undo");
  const Value* why = to.spec().find("irreversible");
  if ((undo == nullptr) == (why == nullptr)) {
    to.problem(undo == nullptr ? "/spec" : "/spec/undo",
               "expected exactly one of \"undo\" and \"irreversible\", found " +
                   std::string(undo == nullptr ? "none" : "both"),
               "\"undo\" is the program that takes back what \"run\" did; \"irreversible\" says why there is none");
    return;
  }
  if (why != nullptr) command.parameters["irreversible"] = *why;
  if (undo == nullptr) return;
  if (undo->is_map() && to.spec().find("creates") == nullptr) {
    to.problem("/spec/undo", "\"undo: {remove: true}\" removes what \"creates\" names, and there is no \"creates\"",
               "write the program that takes it back, as a list");
  }
  command.parameters["undo"] = undo->is_map() ? Value(Map{{"remove", true}}) : *undo;
}

void add_stops(Lowering& to, const PrimitiveId& command) {
  if (to.spec().find("whileStopped") == nullptr) return;
  if (to.spec().find("onChange") == nullptr) {
    to.problem("/spec/whileStopped", "\"whileStopped\" needs \"onChange\"",
               "units are started again because they load what the command ran for");
    return;
  }
  to.refer(command, "whileStopped", ReferenceUse::stops);
}

void lower_command(Lowering& to) {
  Wanted& command = to.add(PrimitiveType::command, to.name(), {});
  command.parameters["run"] = to.spec().at("run");
  command.parameters["folder"] = to.spec().text_or("in", "/");
  command.parameters["user"] = to.spec().text_or("user", "root");
  command.parameters["timeout_ms"] = duration_ms(to.spec().text_or("timeout", "5m"));
  if (Value environment = environment_of(to); !environment.as_map().empty())
    command.parameters["environment"] = std::move(environment);
  if (const Value* file = to.spec().find("environmentFile")) {
    to.draft.references.push_back(
        {command.id, file->as_text(), ReferenceUse::environment, to.resource().at("/spec/environmentFile")});
  }
  add_guard(to, command);
  add_undo(to, command);
  add_stops(to, command.id);
}

}  // namespace

Kind command_kind() { return {"Command", lower_command}; }

}  // namespace holdfast
