#include <reconcilers/kinds/kind.hpp>

#include <manifests/formats.hpp>

namespace holdfast {

namespace {

void add_package(Lowering& to, const std::string& package, const std::string& pointer) {
  if (!is_package_name(package)) {
    to.problem(pointer, "\"" + package + "\" is no name of a Debian package", "say it as \"spec.name\"");
    return;
  }
  if (to.absent()) {
    to.add_absent(PrimitiveType::package, package);
    return;
  }
  Wanted& wanted = to.add(PrimitiveType::package, package, {});
  if (const Value* version = to.spec().find("version")) wanted.attributes["version"] = *version;
}

void lower_package(Lowering& to) {
  const Value* names = to.spec().find("names");
  const Value* name = to.spec().find("name");
  const Value* version = to.spec().find("version");
  if (names != nullptr && name != nullptr) {
    to.problem("/spec/names", "expected \"name\" or \"names\", found both", "put all of them into \"names\"");
  }
  if (version != nullptr && (names != nullptr || to.absent())) {
    to.problem("/spec/version", "\"version\" goes with one package that is present",
               "give a package with a version a resource of its own");
  }
  if (names == nullptr) {
    add_package(to, name == nullptr ? to.name() : name->as_text(), name == nullptr ? "/metadata/name" : "/spec/name");
    return;
  }
  std::size_t index = 0;
  for (const std::string& one : names->as_texts()) add_package(to, one, "/spec/names/" + std::to_string(index++));
}

}  // namespace

Kind package_kind() { return {"Package", lower_package}; }

}  // namespace holdfast
