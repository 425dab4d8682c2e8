#include <reconcilers/primitives/command.hpp>

#include <reconcilers/primitives/command_record.hpp>
#include <reconcilers/primitives/command_run.hpp>
#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/place.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

namespace holdfast {

namespace {

const Value* parameter(const Wanted& wanted, std::string_view name) {
  const auto found = wanted.parameters.find(name);
  return found == wanted.parameters.end() || found->second.is_null() ? nullptr : &found->second;
}

std::string folder_of(const Value& parameters) { return parameters.text_or("folder", "/"); }

bool exists(const System& system, const std::string& path) { return system.stat(path).has_value(); }

/// What the guard says, without looking at what is remembered of the last run.
bool says_done(const System& system, const Value& parameters) {
  if (const Value* path = parameters.find("creates")) return exists(system, path->as_text());
  return is_done_already(system, parameters, folder_of(parameters));
}

/// A command that is told by what it ran for; one that is only named by a unit's `loads` is such a one.
bool is_told_by_digest(const Wanted& wanted) {
  return parameter(wanted, "creates") == nullptr && parameter(wanted, "unless") == nullptr;
}

Attributes observe_command(const System& system, const Wanted& wanted) {
  const std::optional<CommandRecord> record = read_command_record(system, wanted.id.name);
  const bool unfinished = record && record->unfinished;
  const bool by_digest = is_told_by_digest(wanted);
  const std::string digest = by_digest && record ? record->digest : "";
  const bool done = by_digest ? !digest.empty() : says_done(system, wanted.parameters);
  if (!done && !unfinished) return {{"present", false}};
  Attributes state{{"present", true}, {"state", unfinished ? "cut_off" : "done"}};
  if (!digest.empty()) state["digest"] = digest;
  return state;
}

/// What the programs of a step need besides their arguments.
Map arguments_of(const Wanted& wanted, std::initializer_list<const char*> more) {
  Map arguments{{"name", wanted.id.name}};
  for (const char* name : command_parameters) {
    if (const Value* value = parameter(wanted, name)) arguments[name] = *value;
  }
  for (const char* name : more) {
    if (const Value* value = parameter(wanted, name)) arguments[name] = *value;
  }
  return arguments;
}

Step run_step(const Wanted& wanted, const Attributes& to) {
  Map arguments = arguments_of(wanted, {"folder", "creates", "unless", "stops"});
  arguments["argv"] = wanted.parameters.at("run");
  if (const auto digest = to.find("digest"); digest != to.end()) arguments["digest"] = digest->second;
  if (parameter(wanted, "undo") == nullptr) arguments["irreversible"] = true;
  return {"command.run", std::move(arguments)};
}

/// Back to what it last ran for before, or to never.
Step undo_step(const Wanted& wanted, const Attributes& to) {
  Map arguments = arguments_of(wanted, {"folder", "creates", "unless", "stops"});
  const Value* undo = parameter(wanted, "undo");
  if (undo != nullptr && undo->is_list()) arguments["argv"] = *undo;
  if (undo != nullptr && !undo->is_list()) arguments["remove"] = wanted.parameters.at("creates");
  if (const auto digest = to.find("digest"); digest != to.end()) arguments["digest"] = digest->second;
  return {undo == nullptr ? "command.forget" : "command.undo", std::move(arguments)};
}

class CommandStep {
 public:
  CommandStep(Effects& effects, const Value& arguments)
      : effects_(effects),
        system_(effects.system),
        arguments_(arguments),
        name_(arguments.at("name").as_text()),
        digest_(arguments.text_or("digest", "")),
        record_(read_command_record(system_, name_).value_or(CommandRecord{})) {}

  void run() {
    if (is_done()) return;
    const std::string folder = real_folder(system_, folder_of(arguments_));
    const CommandRecord before = record_;
    const bool can_be_undone = !arguments_.bool_or("irreversible", false);
    // Without an undo only a digest needs to know that it was cut off.
    if (can_be_undone || !digest_.empty()) remember({before.digest, folder, true});
    bool could_start = true;
    try {
      run_command(effects_, name_, arguments_, folder, could_start);
    } catch (const Error&) {
      if (!could_start) remember(before);
      throw;
    }
    remember({digest_, folder, false});
    require_effect();
  }

  void undo() {
    if (!is_left()) return;
    const std::string folder = record_.folder.empty() || !exists(system_, record_.folder)
                                   ? real_folder(system_, folder_of(arguments_))
                                   : record_.folder;
    if (arguments_.find("argv") != nullptr) run_undo(effects_, name_, arguments_, folder);
    if (const Value* path = arguments_.find("remove")) remove(path->as_text());
    forget();
  }

  void forget() {
    if (digest_.empty()) {
      remove_command_record(system_, name_);
    } else {
      remember({digest_, record_.folder, false});
    }
  }

 private:
  [[nodiscard]] bool by_digest() const {
    return arguments_.find("creates") == nullptr && arguments_.find("unless") == nullptr;
  }

  [[nodiscard]] bool is_done() const {
    if (record_.unfinished) return false;
    return by_digest() ? record_.digest == digest_ && !digest_.empty() : says_done(system_, arguments_);
  }

  /// Whether there is something left to undo.
  [[nodiscard]] bool is_left() const {
    if (record_.unfinished) return true;
    return by_digest() ? record_.digest != digest_ : says_done(system_, arguments_);
  }

  void remember(const CommandRecord& record) {
    if (record == CommandRecord{}) return remove_command_record(system_, name_);
    write_command_record(system_, name_, record);
  }

  /// A guard that still asks for the command after it ran would have it run for ever.
  void require_effect() {
    if (by_digest() || says_done(system_, arguments_)) return;
    const std::string program = "\"" + arguments_.at("argv").as_texts().at(0) + "\"";
    if (const Value* path = arguments_.find("creates"))
      throw Error(program + " ended well, but \"" + path->as_text() + "\", which it should create, is not there");
    throw Error(program + " ended well, but its guard \"" + arguments_.at("unless").as_texts().at(0) +
                "\" still says that it is to be done");
  }

  void remove(const std::string& path) {
    const std::optional<FileStat> stat = system_.stat(path);
    if (!stat) return;
    if (stat->type != FileType::directory) return system_.remove_file(path);
    if (!system_.remove_directory(path)) throw Error("the folder \"" + path + "\" is not empty, and kept");
  }

  Effects& effects_;
  System& system_;
  const Value& arguments_;
  std::string name_;
  std::string digest_;
  CommandRecord record_;
};

class CommandPrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::command; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    std::vector<Attributes> observed;
    for (const Wanted* one : wanted) {
      observed.push_back(while_doing("asking whether \"" + to_text(one->id) + "\" is to be run",
                                     [&] { return observe_command(system, *one); }));
    }
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    Steps steps;
    if (!is_command_goal(wanted, to)) {
      if (is_present(from) && from != to) steps.list.push_back(undo_step(wanted, to));
      return steps;
    }
    if (is_present(from) && !differs(from, to, "digest") && !differs(from, to, "state")) return steps;
    steps.list.push_back(run_step(wanted, to));
    if (const Value* why = parameter(wanted, "irreversible"))
      steps.irreversible.push_back("what \"" + wanted.id.name + "\" does stays: " + why->as_text());
    return steps;
  }

  void execute(Effects& effects, const Step& step) const override {
    const Value arguments = step.arguments;
    CommandStep command(effects, arguments);
    if (step.verb == "command.run") {
      command.run();
    } else if (step.verb == "command.undo") {
      command.undo();
    } else if (step.verb == "command.forget") {
      command.forget();
    } else {
      refuse_verb(step.verb);
    }
  }
};

}  // namespace

std::string command_digest(const Wanted& wanted, const LoadedStates& states) {
  return sha256(to_json(List{wanted.parameters.at("run"), loaded_digest(states)}));
}

bool is_command_goal(const Wanted& wanted, const Attributes& to) {
  if (!is_present(to) || Value(to).text_or("state", "done") != "done") return false;
  const auto digest = wanted.attributes.find("digest");
  const auto goal = to.find("digest");
  return digest == wanted.attributes.end() || (goal != to.end() && goal->second == digest->second);
}

const PrimitiveKind& command_primitive() {
  static const CommandPrimitive primitive;
  return primitive;
}

}  // namespace holdfast
