#include <controller/cli/config.hpp>

#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <manifests/schema.hpp>

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_config_bytes = 1U << 20U;

std::string environment_text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The file to read; empty where none was named and none is there.
std::string find_file(const std::string& named) {
  if (!named.empty()) return named;
  const std::string from_environment = environment_text("HOLDFAST_CONFIG");
  if (!from_environment.empty()) return from_environment;
  for (const char* usual : {"holdfast.yaml", "/etc/holdfast/holdfast.yaml"}) {
    std::error_code error;
    if (fs::is_regular_file(usual, error)) return usual;
  }
  return "";
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error("the controller's settings \"" + path + "\" can't be read: check the path and its permissions");
  std::string text(max_config_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > max_config_bytes) throw Error("the controller's settings \"" + path + "\" are larger than 1 MiB");
  return text;
}

Value read_spec(const std::string& path) {
  const CheckedFile checked = check_file(path, read_file(path), "Controller");
  if (checked.problems.empty()) return checked.spec;
  std::string text = "the controller's settings are refused:";
  for (const Problem& problem : checked.problems) text += "\n" + render(problem);
  throw Error(text);
}

/// The repository that the working directory lies in: holdfast's commands work in a checkout without any settings.
std::string repository_here() {
  std::error_code error;
  for (fs::path folder = fs::current_path(error); !folder.empty(); folder = folder.parent_path()) {
    if (fs::exists(folder / ".git", error)) return folder.string();
    if (folder == folder.root_path()) break;
  }
  return "";
}

std::string default_state() {
  if (geteuid() == 0) return "/var/lib/holdfast-controller";
  const std::string state = environment_text("XDG_STATE_HOME");
  return (state.empty() ? environment_text("HOME") + "/.local/state" : state) + "/holdfast";
}

/// The runner lies beside this program in a build, and in libexec of the same prefix once installed.
std::string default_runner() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const std::array<fs::path, 3> places = {program.parent_path() / "holdfast-host",
                                          program.parent_path() / "../reconcilers/host/holdfast-host",
                                          program.parent_path() / "../libexec/holdfast/holdfast-host"};
  for (const fs::path& place : places) {
    if (fs::is_regular_file(place, error)) return fs::weakly_canonical(place, error).string();
  }
  return places.back().lexically_normal().string();
}

void take_repository(const Value& spec, ControllerConfig& config) {
  const Value& repository = spec.at("repository");
  config.repository.url = repository.text_or("url", "");
  config.repository.identity = repository.text_or("identity", "");
  config.repository.host_key = repository.text_or("hostKey", "");
  config.repository.known_hosts = repository.text_or("knownHosts", "");
  config.repository.token_file = repository.text_or("tokenFile", "");
  config.repository.ca_file = repository.text_or("caFile", "");
  config.branch = repository.text_or("branch", config.branch);
  config.allow_rewrites = repository.text_or("rewrites", "refuse") == "allow";
  config.load.folder = repository.text_or("folder", "");
}

void take_spec(const Value& spec, ControllerConfig& config) {
  take_repository(spec, config);
  config.poll_ms = duration_ms(spec.text_or("poll", "30s"));
  config.sweep_ms = duration_ms(spec.text_or("sweep", "60s"));
  config.state = spec.text_or("state", config.state);
  config.workers = static_cast<std::size_t>(spec.int_or("workers", 16));
  config.connect.runner = spec.text_or("runner", config.connect.runner);
  if (const Value* notify = spec.find("notify")) config.notify = sinks_from(*notify);
  if (const Value* webhook = spec.find("webhook")) {
    config.webhook = {.listen = webhook->text_or("listen", "127.0.0.1:9443"),
                      .path = webhook->text_or("path", "/webhook"),
                      .secret_file = webhook->at("secretFile").as_text()};
  }
  if (const Value* audit = spec.find("audit")) {
    config.audit = {.push = audit->bool_or("push", true),
                    .name = audit->text_or("name", config.audit.name),
                    .mail = audit->text_or("mail", "")};
  }
  if (const Value* approve = spec.find("approve")) {
    config.approve = {.key = approve->text_or("key", ""),
                      .openpgp = approve->text_or("openpgp", ""),
                      .name = approve->text_or("name", ""),
                      .mail = approve->text_or("mail", "")};
  }
  if (const Value* ssh = spec.find("ssh")) {
    config.connect.identity = ssh->text_or("identity", "");
    config.connect.known_hosts = ssh->text_or("knownHosts", "");
    config.connect.agent = ssh->bool_or("agent", true);
  }
}

}  // namespace

ControllerConfig load_config(const std::string& file, const std::string& repository, const std::string& state) {
  ControllerConfig config;
  config.state = default_state();
  config.connect.runner = default_runner();
  config.file = find_file(file);
  if (!config.file.empty()) take_spec(read_spec(config.file), config);
  if (!repository.empty()) config.repository.url = repository;
  if (!state.empty()) config.state = state;
  if (config.repository.url.empty()) config.repository.url = repository_here();
  if (config.repository.url.empty()) {
    throw Error(
        "no settings and no repository: expected --config FILE, $HOLDFAST_CONFIG, ./holdfast.yaml or "
        "/etc/holdfast/holdfast.yaml, or to be inside a git repository; `holdfast init FOLDER` writes a first fleet");
  }
  if (const auto refused = refuse_url(config.repository.url)) {
    throw Error("the repository \"" + printable(config.repository.url) + "\" is refused: " + *refused);
  }
  return config;
}

}  // namespace holdfast
