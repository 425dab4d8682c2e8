#include "repository.hpp"

#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast::simulation {

namespace {

std::string configuration(std::size_t number, const Wanted& wanted) {
  return "version=" + std::to_string(wanted.version == 0 ? number : wanted.version) + " mode=" + wanted.mode + "\n";
}

const std::string unit_text =
    "[Unit]\nDescription=app\n\n[Service]\nExecStart=/usr/bin/app "
    "/etc/app.conf\n\n[Install]\nWantedBy=multi-user.target\n";

std::string manifest(const std::string& kind, const std::string& name, const std::string& spec) {
  return "---\napiVersion: holdfast.dev/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec:\n" + spec;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) result += c == '\n' ? std::string("\\n") : std::string(1, c);
  return result + "\"";
}

class SimulatedMirror : public Mirror {
 public:
  SimulatedMirror(const Repository& repository, std::function<std::size_t()> head)
      : repository_(repository), head_(std::move(head)) {}

  void fetch(Deadline) override {}
  std::string fetch_reference(const std::string&, Deadline) override { throw Error("there is no such reference"); }
  [[nodiscard]] std::optional<std::string> branch(const std::string& name) const override {
    if (name != "main" || repository_.size() == 0) return std::nullopt;
    return repository_.id(head_());
  }
  [[nodiscard]] std::optional<std::string> tag(const std::string&) const override { return std::nullopt; }
  [[nodiscard]] std::vector<std::string> tag_names() const override { return {}; }
  [[nodiscard]] std::optional<std::string> resolve(const std::string& text) const override {
    return commit(text) ? std::optional(text) : std::nullopt;
  }
  [[nodiscard]] std::optional<Commit> commit(const std::string& id) const override {
    const std::size_t number = repository_.number(id);
    if (number > head_()) return std::nullopt;
    return Commit{.id = id, .tree = id, .author = "A <a@example.com>", .summary = "commit " + std::to_string(number)};
  }
  [[nodiscard]] bool is_ancestor(const std::string& ancestor, const std::string& descendant) const override {
    return repository_.number(ancestor) <= repository_.number(descendant);
  }
  [[nodiscard]] std::unique_ptr<Tree> tree(const std::string& commit) const override {
    std::vector<std::pair<std::string, std::string>> files;
    files.emplace_back("app.yaml", repository_.manifests(repository_.number(commit)));
    return std::make_unique<MemoryTree>(std::move(files));
  }
  [[nodiscard]] std::string blob(const std::string&, std::size_t) const override { throw Error("there is no blob"); }
  [[nodiscard]] std::string object_at(const std::string&, const std::string&) const override { return {}; }
  [[nodiscard]] std::optional<TagObject> tag_object(const std::string&) const override { return std::nullopt; }
  [[nodiscard]] std::optional<SignedBytes> commit_signature(const std::string&) const override { return std::nullopt; }
  [[nodiscard]] const Remote& remote() const override { return remote_; }
  [[nodiscard]] const std::string& folder() const override { return folder_; }
  [[nodiscard]] const MirrorOptions& options() const override { return options_; }

 private:
  const Repository& repository_;
  std::function<std::size_t()> head_;
  Remote remote_{};
  std::string folder_{};
  MirrorOptions options_{.fetch_program = {}};
};

}  // namespace

void Repository::push(const Wanted& wanted) { commits_.push_back(wanted); }

std::string Repository::id(std::size_t number) const {
  const std::string digits = std::to_string(number);  // first, where people see it
  return std::string(4 - std::min<std::size_t>(digits.size(), 4), '0') + digits + std::string(36, 'c');
}

std::size_t Repository::number(const std::string& id) const {
  for (std::size_t i = 0; i < commits_.size(); ++i) {
    if (this->id(i) == id) return i;
  }
  return commits_.size();
}

std::map<std::string, std::string> Repository::files(std::size_t number) const {
  const Wanted& one = wanted(number);
  std::map<std::string, std::string> files{{configuration_path, configuration(number, one)}, {unit_path, unit_text}};
  if (one.extra) files[extra_path] = "extra\n";
  return files;
}

std::string Repository::manifests(std::size_t number) const {
  const Wanted& one = wanted(number);
  std::string text;
  text +=
      manifest("File", "configuration", "  path: /etc/app.conf\n  text: " + quoted(configuration(number, one)) + "\n");
  text += manifest(
      "EnvFile", "environment",
      "  path: /etc/app.env\n  values: {NUMBER: " + std::to_string((one.version == 0 ? number : one.version) % 3) +
          "}\n  secrets: {KEY: {generate: {bytes: 32}}}\n");
  std::string loads = "[File/configuration, EnvFile/environment";
  if (one.extra) text += manifest("File", "extra", "  path: /etc/app-extra.conf\n  text: \"extra\\n\"\n");
  if (!one.migration.empty()) {
    text += manifest(
        "Command", "migrate",
        "  run: [migrate, \"" + one.migration + "\"]\n  undo: [migrate, back]\n  onChange: [File/configuration]\n");
  }
  text += manifest("SystemdUnit", "app.service",
                   "  text: " + quoted(unit_text) + "\n  state: running\n  verify: false\n  loads: " + loads +
                       "]\n  health:\n    - command: {argv: [app-check, app.service]}\n");
  return text;
}

std::unique_ptr<Mirror> mirror_of(const Repository& repository, std::function<std::size_t()> head) {
  return std::make_unique<SimulatedMirror>(repository, std::move(head));
}

}  // namespace holdfast::simulation
