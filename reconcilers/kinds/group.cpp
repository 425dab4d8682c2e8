#include <reconcilers/kinds/kind.hpp>

#include <manifests/formats.hpp>

namespace holdfast {

namespace {

void lower_group(Lowering& to) {
  const std::string group = to.spec().text_or("name", to.name());
  if (!is_account_name(group)) {
    to.problem("/metadata/name", "\"" + group + "\" is no name of a group", "say it as \"spec.name\"");
    return;
  }
  if (to.absent()) {
    to.add_absent(PrimitiveType::group, group);
    return;
  }
  Wanted& wanted = to.add(PrimitiveType::group, group, {});
  if (const Value* gid = to.spec().find("gid")) wanted.attributes["gid"] = *gid;
  if (to.spec().bool_or("system", false)) wanted.parameters["system"] = true;
}

}  // namespace

Kind group_kind() { return {"Group", lower_group}; }

}  // namespace holdfast
