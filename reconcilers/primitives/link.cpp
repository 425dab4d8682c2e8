#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/place.hpp>

#include <manifests/error.hpp>

namespace holdfast {

namespace {

class LinkPrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::link; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    std::vector<Attributes> observed;
    for (const Wanted* one : wanted) {
      observed.push_back(
          observe_path(system, one->id.name, FileType::link, [&](const FileStat&, Attributes& attributes) {
            attributes["target"] = system.read_link(one->id.name).value_or("");
          }));
    }
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    Steps steps;
    if (!is_present(to)) {
      if (is_present(from)) steps.list.push_back({"link.remove", {{"path", wanted.id.name}}});
    } else if (!is_present(from) || differs(from, to, "target")) {
      steps.list.push_back({"link.put", overlay(pick(to, {"target"}), {{"path", wanted.id.name}})});
    }
    return steps;
  }

  void execute(Effects& effects, const Step& step) const override {
    const Value arguments = step.arguments;
    const std::string& path = arguments.at("path").as_text();
    const std::optional<FileStat> stat = effects.system.stat(path);
    if (stat && stat->type != FileType::link)
      throw Error("expected a symbolic link at \"" + path + "\", found something else");
    const std::optional<Expected> expected = expected_before(effects);
    if (step.verb == "link.put") {
      const std::string& target = arguments.at("target").as_text();
      expected ? effects.system.replace_link(path, target, *expected) : effects.system.put_link(path, target);
    } else if (step.verb == "link.remove") {
      expected ? effects.system.remove_expected(path, *expected) : effects.system.remove_file(path);
    } else {
      refuse_verb(step.verb);
    }
  }
};

}  // namespace

const PrimitiveKind& link_primitive() {
  static const LinkPrimitive primitive;
  return primitive;
}

}  // namespace holdfast
