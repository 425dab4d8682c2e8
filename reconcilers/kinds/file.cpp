#include <reconcilers/kinds/kind.hpp>

#include <algorithm>

namespace holdfast {

namespace {

void add_validator(Lowering& to, Wanted& wanted) {
  const Value* validate = to.spec().find("validate");
  if (validate == nullptr) return;
  const std::vector<std::string> argv = validate->as_texts();
  const bool names_copy = std::any_of(argv.begin(), argv.end(),
                                      [](const std::string& word) { return word.find("{}") != std::string::npos; });
  if (!names_copy) {
    to.problem("/spec/validate", "expected \"{}\" in \"spec.validate\", where the staged copy's path goes, found none",
               "write [" + argv.front() + ", \"{}\"]");
  }
  wanted.parameters["validate"] = *validate;
}

void lower_file(Lowering& to) {
  const std::string& path = to.spec().at("path").as_text();
  if (to.absent()) {
    to.offer(to.add_absent(PrimitiveType::file, path).id);
    return;
  }
  const std::string bytes = to.content(to.spec(), "/spec");
  Wanted& wanted = to.add_file(path, bytes, to.ownership(), to.mode("0644"));
  add_validator(to, wanted);
  if (to.spec().bool_or("sensitive", false)) wanted.parameters["sensitive"] = true;
  to.offer(wanted.id);
}

}  // namespace

Kind file_kind() { return {"File", lower_file}; }

}  // namespace holdfast
