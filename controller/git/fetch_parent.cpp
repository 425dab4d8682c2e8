#include <controller/git/mirror_files.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/host/process.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace holdfast {

namespace {

constexpr std::size_t kept_output_bytes = 64U << 10U;

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return printable(text);
}

/// The child needs the way to the agent, and the home folder for the default key and known_hosts; nothing else of ours.
std::map<std::string, std::string> child_environment() {
  std::map<std::string, std::string> environment;
  for (const char* name : {"HOME", "SSH_AUTH_SOCK"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  return environment;
}

}  // namespace

std::vector<std::string> default_fetch_program() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"holdfast-fetch", "../libexec/holdfast/holdfast-fetch"}) {
    const std::filesystem::path program = folder / place;
    if (::access(program.c_str(), X_OK) == 0) return {program.string()};
  }
  return {"/proc/self/exe", "fetch-child"};
}

FetchOutcome run_fetch_child(const MirrorOptions& options, FetchRequest request, Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return {FetchExit::failed, "no time is left for it", ""};
  request.deadline_ms = left.count();
  Command command;
  command.argv = options.fetch_program;
  command.environment = child_environment();
  command.input = to_json(to_value(request));
  command.deadline = left;
  command.output_bytes = kept_output_bytes;
  const Output output = run_process(command, std::nullopt);
  if (output.timed_out) {
    return {FetchExit::failed,
            "the remote did not finish within " + std::to_string((left.count() + 999) / 1000) + " s", ""};
  }
  if (output.exit_code == static_cast<int>(FetchExit::done)) return {FetchExit::done, "", output.out};
  const bool damaged = output.exit_code == static_cast<int>(FetchExit::damaged);
  const bool told = damaged || output.exit_code == static_cast<int>(FetchExit::failed);
  if (told && !output.out.empty()) return {damaged ? FetchExit::damaged : FetchExit::failed, one_line(output.out), ""};
  return {FetchExit::failed, "the child ended unexpectedly: " + one_line(describe_failure(command, output)), ""};
}

}  // namespace holdfast
