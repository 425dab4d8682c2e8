#include <reconcilers/primitives/tree_put.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>
#include <chrono>

namespace holdfast {

namespace {

constexpr std::size_t max_log_bytes = 16U << 20U;
constexpr std::int64_t default_timeout_ms = 600'000;

/// The build's log: what doesn't fit any more is left out.
class Log {
 public:
  Log(Effects& effects, std::string path) : effects_(effects), path_(std::move(path)) {
    ensure_folder(effects.system, parent_of(path_));
    effects.system.write(path_, "", {.mode = 0600});
  }

  void add(std::string_view text) {
    if (effects_.tell) effects_.tell(text);
    if (bytes_ > max_log_bytes) return;
    bytes_ += text.size();
    effects_.system.append(path_, text, {.mode = 0600});
  }

 private:
  Effects& effects_;
  std::string path_;
  std::size_t bytes_ = 0;
};

std::string build_user(const System& system, const Value& build, const Value& arguments) {
  if (!system.abilities().ownership) return {};
  return build.text_or("user", arguments.text_or("owner", ""));
}

std::map<std::string, std::string> build_environment(const Value& build) {
  std::map<std::string, std::string> environment;
  const Value* given = build.find("environment");
  if (given == nullptr) return environment;
  for (const auto& [name, value] : given->as_map()) environment[name] = value.as_text();
  return environment;
}

std::string shown(const std::vector<std::string>& argv) {
  std::string text = "$";
  for (const std::string& argument : argv) text += " " + argument;
  return text + "\n";
}

}  // namespace

std::string build_log_path(const std::string& path) {
  return std::string(state_folder) + "/builds/" + name_of(path) + ".log";
}

void build_tree(Effects& effects, const std::string& path, const Value& arguments) {
  const Value& build = arguments.at("build");
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto end = now() + std::chrono::milliseconds(build.int_or("timeout_ms", default_timeout_ms));
  Log log(effects, build_log_path(path));
  Command command;
  command.user = build_user(effects.system, build, arguments);
  command.folder = path;
  command.environment = build_environment(build);
  command.on_output = [&log](std::string_view text) { log.add(text); };
  const List& steps = build.at("steps").as_list();
  std::size_t number = 0;
  for (const Value& step : steps) {
    ++number;
    command.argv = step.as_texts();
    command.deadline =
        std::max(std::chrono::milliseconds(1), std::chrono::duration_cast<std::chrono::milliseconds>(end - now()));
    log.add(shown(command.argv));
    const Output output = effects.system.run(command);
    if (output.ok()) continue;
    throw Error("build step " + std::to_string(number) + " of " + std::to_string(steps.size()) + " of \"" + path +
                "\" failed (all of its output: " + build_log_path(path) + "): " + describe_failure(command, output));
  }
}

}  // namespace holdfast
