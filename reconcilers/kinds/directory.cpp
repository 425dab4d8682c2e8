#include <reconcilers/kinds/kind.hpp>

namespace holdfast {

namespace {

void lower_directory(Lowering& to) {
  const std::string& path = to.spec().at("path").as_text();
  if (to.absent()) {
    to.add_absent(PrimitiveType::directory, path);
    return;
  }
  const OwnerNames ownership = to.ownership();
  Wanted& wanted = to.add(PrimitiveType::directory, path,
                          {{"owner", ownership.owner}, {"group", ownership.group}, {"mode", to.mode("0755")}});
  if (to.spec().bool_or("recursive", false)) {
    wanted.attributes["foreign"] = 0;
    wanted.parameters["recursive"] = true;
  }
}

}  // namespace

Kind directory_kind() { return {"Directory", lower_directory}; }

}  // namespace holdfast
