#include <reconcilers/kinds/kind.hpp>

#include <manifests/formats.hpp>

#include <set>

namespace holdfast {

namespace {

/// Where one `:` or line end would begin another field or account in /etc/passwd.
bool fits_passwd(const std::string& text) {
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7f || letter == ':') return false;
  }
  return true;
}

void add_groups(Lowering& to, Wanted& wanted) {
  const Value* groups = to.spec().find("groups");
  const bool exclusive = to.spec().bool_or("exclusiveGroups", false);
  if (groups == nullptr && !exclusive) return;
  std::set<std::string> names;
  if (groups != nullptr) {
    for (const std::string& name : groups->as_texts()) names.insert(name);
  }
  wanted.attributes["groups"] = Value::texts({names.begin(), names.end()});
  wanted.parameters["exclusive_groups"] = exclusive;
}

void add_account_fields(Lowering& to, Wanted& wanted) {
  for (const char* field : {"uid", "group", "home", "shell", "comment"}) {
    const Value* value = to.spec().find(field);
    if (value == nullptr) continue;
    if (value->is_text() && !fits_passwd(value->as_text())) {
      to.problem(pointer_to("/spec", field),
                 "\"spec." + std::string(field) + "\" must not hold a colon or a control character",
                 "the account database separates its fields with colons");
      continue;
    }
    wanted.attributes[field] = *value;
  }
}

void lower_user(Lowering& to) {
  const std::string user = to.spec().text_or("name", to.name());
  if (!is_account_name(user)) {
    to.problem("/metadata/name", "\"" + user + "\" is no name of an account", "say it as \"spec.name\"");
    return;
  }
  if (to.absent()) {
    if (user == "root") to.problem("/spec/state", "the account \"root\" can't be removed");
    to.add_absent(PrimitiveType::user, user);
    return;
  }
  Wanted& wanted = to.add(PrimitiveType::user, user, {});
  add_account_fields(to, wanted);
  add_groups(to, wanted);
  const bool system = to.spec().bool_or("system", false);
  wanted.parameters["system"] = system;
  wanted.parameters["create_home"] = to.spec().bool_or("createHome", !system);
}

}  // namespace

Kind user_kind() { return {"User", lower_user}; }

}  // namespace holdfast
