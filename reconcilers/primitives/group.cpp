#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/place.hpp>

#include <manifests/error.hpp>

namespace holdfast {

namespace {

class GroupPrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::group; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    const bool manageable = system.abilities().accounts;
    const Accounts accounts = read_accounts(system);
    std::vector<Attributes> observed;
    for (const Wanted* one : wanted) {
      const GroupEntry* entry = accounts.group(one->id.name);
      if (!manageable) {
        observed.push_back(one->attributes);
      } else if (entry == nullptr) {
        observed.push_back({{"present", false}});
      } else {
        observed.push_back({{"present", true}, {"gid", entry->gid}});
      }
    }
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    Steps steps;
    Map arguments = overlay(pick(to, {"gid"}), {{"name", wanted.id.name}});
    if (!is_present(to)) {
      if (is_present(from)) steps.list.push_back({"group.remove", {{"name", wanted.id.name}}});
    } else if (!is_present(from)) {
      arguments = overlay(arguments, pick(wanted.parameters, {"system"}));
      steps.list.push_back({"group.add", std::move(arguments)});
    } else if (differs(from, to, "gid")) {
      steps.list.push_back({"group.set", std::move(arguments)});
    }
    return steps;
  }

  void execute(Effects& effects, const Step& step) const override {
    const Value arguments = step.arguments;
    const std::string& name = arguments.at("name").as_text();
    const Accounts accounts = read_accounts(effects.system);
    const bool there = accounts.group(name) != nullptr;
    Command command;
    if (step.verb == "group.remove") {
      if (!there) return;
      command.argv = {"groupdel"};
    } else if (step.verb == "group.add" || step.verb == "group.set") {
      command.argv = {there ? "groupmod" : "groupadd"};
      if (!there && arguments.bool_or("system", false)) command.argv.emplace_back("--system");
      if (const Value* gid = arguments.find("gid")) {
        command.argv.insert(command.argv.end(), {"--gid", std::to_string(gid->as_int())});
      } else if (there) {
        return;
      }
    } else {
      refuse_verb(step.verb);
    }
    command.argv.insert(command.argv.end(), {"--", name});
    const Output output = effects.system.run(command);
    if (!output.ok()) throw Error(describe_failure(command, output));
  }
};

}  // namespace

const PrimitiveKind& group_primitive() {
  static const GroupPrimitive primitive;
  return primitive;
}

}  // namespace holdfast
