#include <reconcilers/kinds/env_quoting.hpp>
#include <reconcilers/kinds/kind.hpp>

#include <manifests/digest.hpp>

#include <map>

namespace holdfast {

namespace {

constexpr std::size_t placeholder_length = 40;

void check_name(Lowering& to, const std::string& name, const std::string& pointer) {
  if (is_variable_name(name)) return;
  to.problem(pointer, "\"" + name + "\" is no name of a variable",
             "names are letters, digits and \"_\", and do not begin with a digit");
}

/// Adds the values as quoted text by variable name.
void add_values(Lowering& to, std::map<std::string, std::string>& lines) {
  const Value* values = to.spec().find("values");
  if (values == nullptr) return;
  for (const auto& [name, value] : values->as_map()) {
    const std::string pointer = pointer_to("/spec/values", name);
    check_name(to, name, pointer);
    if (value.type() == Value::Type::real || value.is_null() || value.is_list() || value.is_map()) {
      to.problem(pointer, "\"" + name + "\" must be a text, a whole number or a boolean", "put it into quotes");
      continue;
    }
    const std::string text = to_scalar_text(value);
    if (const std::string fault = value_fault(text); !fault.empty()) {
      to.problem(pointer, "the value of \"" + name + "\" " + fault,
                 "systemd and a shell do not read that alike in an environment file");
    }
    lines[name] = quote_value(text);
  }
}

/// Adds a placeholder for each secret; the host puts the secret in its place.
Map add_secrets(Lowering& to, std::map<std::string, std::string>& lines) {
  Map placeholders;
  const Value* secrets = to.spec().find("secrets");
  if (secrets == nullptr) return placeholders;
  for (const auto& [name, secret] : secrets->as_map()) {
    const std::string pointer = pointer_to("/spec/secrets", name);
    check_name(to, name, pointer);
    if (lines.contains(name)) {
      to.problem(pointer, "\"" + name + "\" is in \"values\" and in \"secrets\"", "take one of them away");
    }
    const std::string id = to.name() + "/" + name;
    const std::string placeholder = sha256("holdfast secret " + id).substr(0, placeholder_length);
    const Value& generate = secret.at("generate");
    placeholders[placeholder] =
        Map{{"id", id},
            {"generate", Map{{"bytes", generate.int_or("bytes", 32)}, {"format", generate.text_or("format", "hex")}}}};
    lines[name] = quote_value(placeholder);
  }
  return placeholders;
}

void check_mode(Lowering& to, int mode) {
  const std::string readers = to.spec().text_or("readableBy", "owner");
  const int forbidden = readers == "owner" ? 077 : readers == "group" ? 027 : 022;
  if ((mode & forbidden) == 0 && (mode & 07000) == 0) return;
  to.problem("/spec/mode",
             "mode \"" + to.spec().text_or("mode", "") + "\" opens an environment file to more than its " +
                 (readers == "all" ? std::string("readers") : readers),
             readers == "owner" ? "use \"0600\", or say \"readableBy: group\"" : "take the other bits away");
}

void lower_env_file(Lowering& to) {
  const std::string& path = to.spec().at("path").as_text();
  if (to.absent()) {
    to.offer(to.add_absent(PrimitiveType::file, path).id);
    return;
  }
  std::map<std::string, std::string> lines;
  add_values(to, lines);
  const Map secrets = add_secrets(to, lines);
  std::string text;
  for (const auto& [name, quoted] : lines) text.append(name).append("=").append(quoted).append("\n");
  const int mode = to.mode("0600");
  check_mode(to, mode);
  Wanted& wanted = to.add_file(path, text, to.ownership(), mode);
  wanted.parameters["sensitive"] = true;
  if (!secrets.empty()) {
    wanted.parameters["secrets"] = secrets;
    wanted.attributes.erase("size");  // only the host knows it
  }
  to.offer(wanted.id);
}

}  // namespace

Kind env_file_kind() { return {"EnvFile", lower_env_file}; }

}  // namespace holdfast
