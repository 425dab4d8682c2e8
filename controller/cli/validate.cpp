#include <controller/cli/basic_commands.hpp>

#include <controller/cli/tree_check.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <ostream>

namespace holdfast {

namespace {

constexpr std::chrono::seconds fetch_time{120};

/// A folder that is removed again.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-validate-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw Error("no folder can be made in the one for temporary files");
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string counted(std::size_t number, const std::string& thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

Value to_value(const Position& position) {
  return Map{{"file", position.file}, {"line", position.line}, {"column", position.column}};
}

Value to_value(const Problem& problem) {
  Map value = to_value(problem.where).as_map();
  value["what"] = problem.what;
  if (!problem.hint.empty()) value["hint"] = problem.hint;
  if (!problem.also.empty()) {
    List also;
    for (const Position& position : problem.also) also.push_back(to_value(position));
    value["also"] = std::move(also);
  }
  return value;
}

void print_json(const TreeCheck& check, std::ostream& out) {
  List problems;
  for (const Problem& problem : check.problems) problems.push_back(to_value(problem));
  out << to_pretty_json(Map{{"valid", check.problems.empty()},
                            {"manifests", check.manifests},
                            {"environments", check.environments},
                            {"hosts", check.hosts},
                            {"problems", std::move(problems)}})
      << "\n";
}

void print_text(const TreeCheck& check, std::ostream& out) {
  for (const Problem& problem : check.problems) out << render(problem) << "\n";
  if (!check.problems.empty()) {
    out << "\n" << counted(check.problems.size(), "problem") << "\n";
    return;
  }
  out << counted(check.manifests, "manifest") << ", " << counted(check.environments, "environment") << ", "
      << counted(check.hosts, "host") << ": valid\n";
  if (check.environments == 0) {
    out << "there is no Environment here, so hosts and variables were not checked\n";
  }
}

int report(const TreeCheck& check, bool json, std::ostream& out) {
  if (json) {
    print_json(check, out);
  } else {
    print_text(check, out);
  }
  return check.problems.empty() ? 0 : 1;
}

}  // namespace

int validate_command(const std::string& folder, bool json, std::ostream& out) {
  const DirectoryTree tree(folder.empty() ? "." : folder);
  return report(check_tree(tree, {}), json, out);
}

int validate_revision_command(const Remote& repository, const LoadOptions& options, const std::string& revision,
                              bool json, std::ostream& out, const MirrorOptions& mirror_options) {
  const ScratchFolder scratch;
  const std::unique_ptr<Mirror> mirror = Mirror::open(scratch.path() + "/mirror", repository, mirror_options);
  mirror->fetch(std::chrono::steady_clock::now() + fetch_time);
  const auto commit = mirror->resolve(revision);
  if (!commit) {
    throw Error("there is no commit, branch or tag \"" + printable(revision) + "\" in \"" + printable(repository.url) +
                "\"");
  }
  const std::unique_ptr<Tree> tree = mirror->tree(*commit);
  return report(check_tree(*tree, options), json, out);
}

}  // namespace holdfast
