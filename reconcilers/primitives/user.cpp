#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/place.hpp>

#include <manifests/error.hpp>

namespace holdfast {

namespace {

constexpr std::initializer_list<const char*> compared = {"uid", "group", "groups", "home", "shell", "comment"};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

Attributes attributes_of(const Accounts& accounts, const UserEntry& entry) {
  return {{"present", true},
          {"uid", entry.uid},
          {"group", accounts.group_name(entry.gid)},
          {"groups", Value::texts(accounts.groups_of(entry.name))},
          {"home", entry.home},
          {"shell", entry.shell},
          {"comment", entry.comment}};
}

/// The options that useradd and usermod share.
void add_options(const Value& arguments, std::vector<std::string>& argv) {
  if (const Value* uid = arguments.find("uid")) argv.insert(argv.end(), {"--uid", std::to_string(uid->as_int())});
  for (const char* name : {"comment", "home", "shell"}) {
    const Value* value = arguments.find(name);
    if (value != nullptr) argv.insert(argv.end(), {"--" + std::string(name), value->as_text()});
  }
  if (const Value* group = arguments.find("group")) argv.insert(argv.end(), {"--gid", group->as_text()});
  if (const Value* groups = arguments.find("groups")) argv.insert(argv.end(), {"--groups", joined(groups->as_texts())});
}

std::vector<std::string> add_command(const Value& arguments, const Accounts& accounts, const std::string& name) {
  std::vector<std::string> argv = {"useradd"};
  if (arguments.bool_or("system", false)) argv.emplace_back("--system");
  argv.emplace_back(arguments.bool_or("create_home", false) ? "--create-home" : "--no-create-home");
  add_options(arguments, argv);
  if (arguments.find("group") == nullptr) {
    // A group of the user's own name is its primary one, as Debian does it; useradd refuses to reuse one by itself.
    if (accounts.group(name) != nullptr) {
      argv.insert(argv.end(), {"--gid", name});
    } else {
      argv.emplace_back("--user-group");
    }
  }
  return argv;
}

class UserPrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::user; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    const bool manageable = system.abilities().accounts;
    const Accounts accounts = read_accounts(system);
    std::vector<Attributes> observed;
    for (const Wanted* one : wanted) {
      const UserEntry* entry = accounts.user(one->id.name);
      if (!manageable) {
        observed.push_back(one->attributes);
      } else if (entry == nullptr) {
        observed.push_back({{"present", false}});
      } else {
        observed.push_back(attributes_of(accounts, *entry));
      }
    }
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    Steps steps;
    const std::string& name = wanted.id.name;
    if (!is_present(to)) {
      if (!is_present(from)) return steps;
      steps.list.push_back({"user.remove", {{"name", name}}});
      steps.irreversible.push_back("the password and the group passwords of the user \"" + name + "\" are not kept");
      return steps;
    }
    if (!is_present(from)) {
      Map arguments = overlay(pick(to, compared), pick(wanted.parameters, {"system", "create_home"}));
      arguments["name"] = name;
      steps.list.push_back({"user.add", std::move(arguments)});
      return steps;
    }
    Map changed;
    for (const char* key : compared) {
      if (differs(from, to, key)) changed[key] = to.at(key);
    }
    if (changed.empty()) return steps;
    changed["name"] = name;
    steps.list.push_back({"user.set", std::move(changed)});
    return steps;
  }

  void execute(Effects& effects, const Step& step) const override {
    const Value arguments = step.arguments;
    const std::string& name = arguments.at("name").as_text();
    const Accounts accounts = read_accounts(effects.system);
    const bool there = accounts.user(name) != nullptr;
    Command command;
    if (step.verb == "user.remove") {
      if (!there) return;
      command.argv = {"userdel"};
    } else if (step.verb == "user.add" && !there) {
      command.argv = add_command(arguments, accounts, name);
    } else if (step.verb == "user.add" || step.verb == "user.set") {
      command.argv = {"usermod"};
      add_options(arguments, command.argv);
      if (command.argv.size() == 1) return;
    } else {
      refuse_verb(step.verb);
    }
    command.argv.insert(command.argv.end(), {"--", name});
    const Output output = effects.system.run(command);
    if (!output.ok()) throw Error(describe_failure(command, output));
  }
};

}  // namespace

const PrimitiveKind& user_primitive() {
  static const UserPrimitive primitive;
  return primitive;
}

}  // namespace holdfast
