#include <reconcilers/primitives/file.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/secrets.hpp>

namespace holdfast {

namespace {

constexpr std::uint32_t default_mode = 0644;
constexpr std::size_t max_template_bytes = 16U << 20U;

/// Puts the bytes of a step to `path`: from the vault by their digest, else the template with its secrets.
/// Gives the digest of what was written.
std::string put_bytes(Effects& effects, const Value& arguments, const std::string& path, const FileMeta& meta) {
  const Value& content = arguments.at("content");
  if (!is_pending(content) && effects.vault.has(content.as_text())) {
    effects.system.copy(effects.vault.path_of(content.as_text()), path, meta);
    return content.as_text();
  }
  const Value* text_digest = arguments.find("template");
  if (text_digest == nullptr) throw Error("the content of \"" + path + "\" is not on the host");
  const auto text = effects.system.read(effects.vault.path_of(text_digest->as_text()), max_template_bytes);
  if (!text) throw Error("the template of \"" + path + "\" is not on the host");
  const std::string bytes = render_secrets(effects.system, *text, arguments.at("secrets").as_map());
  const std::string digest = sha256(bytes);
  if (!is_pending(content) && digest != content.as_text()) {
    throw Error("a secret of \"" + path + "\" changed since the plan was made; plan again");
  }
  effects.system.write(path, bytes, meta);
  return digest;
}

/// An undo carries the template of what it undoes, and puts back bytes that it does not give.
bool is_rendering(Effects& effects, const Value& arguments, const std::string& digest) {
  const std::string& text_digest = arguments.at("template").as_text();
  if (!effects.vault.has(text_digest)) return false;
  const auto text = effects.system.read(effects.vault.path_of(text_digest), max_template_bytes);
  return text && sha256(render_secrets(effects.system, *text, arguments.at("secrets").as_map())) == digest;
}

void refuse_other_types(const System& system, const std::string& path) {
  const std::optional<FileStat> stat = system.stat(path);
  if (stat && stat->type != FileType::regular) {
    throw Error("expected a file at \"" + path + "\", found something else; move it away first");
  }
}

void put(Effects& effects, const Step& step) {
  const Value arguments = step.arguments;
  const std::string& path = arguments.at("path").as_text();
  refuse_other_types(effects.system, path);
  FileMeta meta = Ownership(effects.system).meta(step.arguments, default_mode);
  meta.over = expected_before(effects);
  if (effects.extended != nullptr) meta.extended = *effects.extended;
  if (arguments.bool_or("sensitive", false)) ensure_disclosure_key(effects.system);
  const std::string digest = put_bytes(effects, arguments, path, meta);
  if (arguments.find("template") != nullptr && is_rendering(effects, arguments, digest))
    remember_rendering(effects.system, step.arguments, digest);
}

class FilePrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::file; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    const Ownership ownership(system);
    std::vector<Attributes> observed;
    for (const Wanted* one : wanted) {
      observed.push_back(
          observe_path(system, one->id.name, FileType::regular, [&](const FileStat& stat, Attributes& attributes) {
            ownership.tell(stat, *one, attributes);
            attributes["size"] = stat.size;
            attributes["content"] = system.digest(one->id.name).value_or("");
          }));
    }
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    Steps steps;
    Map arguments = overlay(pick(to, {"owner", "group", "mode"}), {{"path", wanted.id.name}});
    if (!is_present(to)) {
      if (is_present(from)) steps.list.push_back({"file.remove", {{"path", wanted.id.name}}});
    } else if (!is_present(from) || differs(from, to, "content")) {
      arguments = overlay(arguments, pick(to, {"content"}));
      arguments = overlay(arguments, pick(wanted.parameters, {"validate"}));
      add_secrets(wanted, arguments);
      steps.list.push_back({"file.put", std::move(arguments)});
    } else if (differs(from, to, "owner") || differs(from, to, "group") || differs(from, to, "mode")) {
      steps.list.push_back({"file.set", std::move(arguments)});
    }
    return steps;
  }

  void execute(Effects& effects, const Step& step) const override {
    const Value arguments = step.arguments;
    const std::string& path = arguments.at("path").as_text();
    if (step.verb == "file.put") {
      put(effects, step);
    } else if (step.verb == "file.set") {
      refuse_other_types(effects.system, path);
      effects.system.set_meta(path, Ownership(effects.system).meta(step.arguments, default_mode));
      if (effects.extended != nullptr) effects.system.set_extended(path, *effects.extended);
    } else if (step.verb == "file.remove") {
      refuse_other_types(effects.system, path);
      const std::optional<Expected> expected = expected_before(effects);
      expected ? effects.system.remove_expected(path, *expected) : effects.system.remove_file(path);
    } else {
      refuse_verb(step.verb);
    }
  }

 private:
  /// Both directions carry the template: whichever content the vault hasn't got is rendered from it.
  static void add_secrets(const Wanted& wanted, Map& arguments) {
    const auto secrets = wanted.parameters.find("secrets");
    const bool has_secrets = secrets != wanted.parameters.end() && !secrets->second.as_map().empty();
    if (has_secrets || Value(wanted.parameters).bool_or("sensitive", false)) arguments["sensitive"] = true;
    const Map named = overlay(pick(wanted.attributes, {"content"}), pick(wanted.parameters, {"template"}));
    if (!has_secrets || named.empty()) return;
    arguments["template"] = named.rbegin()->second;  // "template" where it was resolved already, else "content"
    arguments["secrets"] = secrets->second;
  }
};

}  // namespace

void validate_file(Effects& effects, const Step& step) {
  const Value arguments = step.arguments;
  const Value* validate = arguments.find("validate");
  if (step.verb != "file.put" || validate == nullptr) return;
  const std::string& path = arguments.at("path").as_text();
  const std::string folder = std::string(state_folder) + "/staged/" + sha256(path).substr(0, 16);
  const std::string staged = folder + "/" + name_of(path);
  ensure_folder(effects.system, folder);
  put_bytes(effects, arguments, staged, {.mode = 0600});
  Command command{.argv = validate->as_texts()};
  for (std::string& argument : command.argv) {
    const std::size_t at = argument.find("{}");
    if (at != std::string::npos) argument.replace(at, 2, effects.system.root() + staged);
  }
  const Output output = effects.system.run(command);
  effects.system.remove_tree(folder);
  if (!output.ok()) throw Error("\"" + path + "\" is not valid: " + describe_failure(command, output));
}

const PrimitiveKind& file_primitive() {
  static const FilePrimitive primitive;
  return primitive;
}

}  // namespace holdfast
