#include <reconcilers/primitives/package.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/dpkg.hpp>
#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr const char* status_path = "/var/lib/dpkg/status";
constexpr std::size_t max_status_bytes = 256U << 20U;
constexpr std::chrono::minutes apt_deadline{30};

Output run_apt(Effects& effects, Command command) {
  command.environment = {{"DEBIAN_FRONTEND", "noninteractive"},
                         {"APT_LISTCHANGES_FRONTEND", "none"},
                         {"NEEDRESTART_SUSPEND", "1"},
                         {"UCF_FORCE_CONFFOLD", "1"}};
  command.deadline = apt_deadline;
  command.on_output = effects.tell;
  return effects.system.run(command);
}

/// What a package's own scripts said is in apt's output, apt's verdict among its errors: people need both.
Error failed(const Command& command, Output output) {
  output.err = output.out + output.err;
  return Error(describe_failure(command, output));
}

void run_or_throw(Effects& effects, const Command& command) {
  const Output output = run_apt(effects, command);
  if (!output.ok()) throw failed(command, output);
}

/// Whether an earlier dpkg was cut off: apt refuses to do anything then.
bool is_interrupted(const System& system) {
  if (!system.list("/var/lib/dpkg/updates").empty()) return true;
  const auto packages = parse_dpkg_status(system.read(status_path, max_status_bytes).value_or(""));
  return std::ranges::any_of(packages, [](const auto& entry) { return entry.second.broken; });
}

/// Whether apt says that it doesn't know what newer package lists may know.
bool lists_are_old(const Output& output) {
  constexpr std::array<std::string_view, 5> signs = {"Unable to locate package", "has no installation candidate",
                                                     "was not found", "404  Not Found",
                                                     "Unable to fetch some archives"};
  return std::ranges::any_of(signs, [&](std::string_view sign) { return output.err.find(sign) != std::string::npos; });
}

void apply(Effects& effects, const Step& step) {
  // Where that fails because of one package, apt may still be able to take it away.
  if (is_interrupted(effects.system)) {
    run_apt(effects, {.argv = {"dpkg", "--force-confdef", "--force-confold", "--configure", "-a"}});
  }
  const Command command{.argv = apt_arguments(step)};
  Output output = run_apt(effects, command);
  if (!output.ok() && lists_are_old(output)) {
    run_or_throw(effects, {.argv = {"apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "update"}});
    output = run_apt(effects, command);
  }
  if (!output.ok()) throw failed(command, output);
}

bool is_package_argument(std::string_view name) {
  constexpr std::string_view others = "+-.:~";
  const auto fits = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
  };
  return !name.empty() && name.front() != '-' && std::ranges::all_of(name, fits);
}

class PackagePrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::package; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    std::vector<Attributes> observed;
    if (!system.abilities().packages) {
      for (const Wanted* one : wanted) observed.push_back(one->attributes);
      return observed;
    }
    const auto packages = parse_dpkg_status(system.read(status_path, max_status_bytes).value_or(""));
    for (const Wanted* one : wanted) {
      const auto found = packages.find(one->id.name);
      if (found != packages.end() && (found->second.installed || found->second.broken)) {
        observed.push_back({{"present", true},
                            {"version", found->second.version},
                            {"state", found->second.installed ? "installed" : "broken"}});
      } else {
        observed.push_back({{"present", false}});
      }
    }
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    Steps steps;
    const std::string& name = wanted.id.name;
    const bool stays = is_present(to);
    if (!stays && !is_present(from)) return steps;
    const bool repair = differs(from, to, "state") && to.at("state") == Value("installed");
    if (stays && is_present(from) && !differs(from, to, "version") && !repair) return steps;
    Map package{{"name", name}};
    if (stays) package = overlay(package, pick(to, {"version"}));
    if (repair && is_present(from)) package["reinstall"] = true;  // apt is content with one that was cut off
    steps.list.push_back({"package.apply", stays ? Map{{"install", List{package}}} : Map{{"remove", List{package}}}});
    const std::string version = Value(from).text_or("version", "");
    if (is_present(from) && !version.empty()) {
      steps.irreversible.push_back("going back to " + name + " " + version + " depends on the mirror still having it");
    }
    return steps;
  }

  void execute(Effects& effects, const Step& step) const override {
    if (step.verb != "package.apply") refuse_verb(step.verb);
    apply(effects, step);
  }
};

/// "nginx", "nginx=1.22.1-9", or "nginx-" where it is to go.
std::string apt_argument(const Value& package, bool install) {
  const std::string& name = package.at("name").as_text();
  const std::string version = package.text_or("version", "");
  if (!is_package_argument(name) || (!version.empty() && !is_package_argument(version))) {
    throw Error("expected the name and version of a Debian package, found \"" + name + "\" \"" + version + "\"");
  }
  if (!install) return name + "-";
  return version.empty() ? name : name + "=" + version;
}

}  // namespace

Step merge_package_steps(const std::vector<Step>& steps) {
  std::map<std::string, std::pair<const char*, Value>> packages;
  for (const Step& step : steps) {
    if (step.verb != "package.apply") throw Error("expected steps of packages, found \"" + step.verb + "\"");
    for (const char* verb : {"install", "remove"}) {
      const Value arguments = step.arguments;
      const Value* list = arguments.find(verb);
      if (list == nullptr) continue;
      for (const Value& package : list->as_list())
        packages.insert_or_assign(package.at("name").as_text(), std::pair(verb, package));
    }
  }
  Step merged{"package.apply", {}};
  for (const auto& [name, entry] : packages) {
    Value& list = merged.arguments[entry.first];
    if (list.is_null()) list = List();
    list.as_list().push_back(entry.second);
  }
  return merged;
}

std::vector<std::string> apt_arguments(const Step& step) {
  const Value arguments = step.arguments;
  const Value* install = arguments.find("install");
  const Value* remove = arguments.find("remove");
  std::vector<std::string> argv = {"apt-get",
                                   "-q",
                                   "-y",
                                   "-o",
                                   "DPkg::Lock::Timeout=300",
                                   "-o",
                                   "Dpkg::Options::=--force-confdef",
                                   "-o",
                                   "Dpkg::Options::=--force-confold"};
  // Nothing may go that the manifests don't say goes.
  if (remove == nullptr) argv.emplace_back("--no-remove");
  bool pinned = false;
  bool again = false;
  std::vector<std::string> packages;
  for (const auto& [list, installs] : {std::pair(install, true), std::pair(remove, false)}) {
    if (list == nullptr) continue;
    for (const Value& package : list->as_list()) {
      pinned = pinned || (installs && package.find("version") != nullptr);
      again = again || package.bool_or("reinstall", false);
      packages.push_back(apt_argument(package, installs));
    }
  }
  if (pinned) argv.emplace_back("--allow-downgrades");
  if (again) argv.emplace_back("--reinstall");
  argv.insert(argv.end(), {install == nullptr ? "remove" : "install", "--"});
  if (install == nullptr) {
    for (std::string& package : packages) package.pop_back();  // "remove" takes plain names
  }
  argv.insert(argv.end(), packages.begin(), packages.end());
  return argv;
}

const PrimitiveKind& package_primitive() {
  static const PackagePrimitive primitive;
  return primitive;
}

}  // namespace holdfast
