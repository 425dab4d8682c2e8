#include <reconcilers/host/detach.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/linux_paths.hpp>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace holdfast {

namespace {

/// In the child of a fork: only what is safe there.
[[noreturn]] void become(char* const* argv) {
  ::setsid();
  const pid_t child = ::fork();
  if (child != 0) ::_exit(child < 0 ? 1 : 0);
  const int null = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  ::execv(argv[0], argv);
  ::_exit(127);
}

void start_child(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw_system_error("cannot start", command.front(), errno, -1);
  if (child == 0) become(argv.data());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw Error("cannot start \"" + command.front() + "\" outside this session");
}

/// systemd's own quoting for a command line in a unit's property.
std::string quoted(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& argument : command) {
    line += line.empty() ? "\"" : " \"";
    for (const char c : argument) {
      if (c == '"' || c == '\\') line += '\\';
      if (c == '%' || c == '$') line += c;
      line += c;
    }
    line += '"';
  }
  return line;
}

}  // namespace

std::string own_program() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) throw Error("cannot tell the path of the running program");
  return {path.data(), static_cast<std::size_t>(length)};
}

std::vector<std::string> own_command(const System& system, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {own_program()};
  if (!system.root().empty()) command.insert(command.end(), {"--root", system.root()});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

void start_detached(System& system, const std::string& unit, const std::vector<std::string>& arguments,
                    const std::vector<std::string>& on_end) {
  const std::vector<std::string> command = own_command(system, arguments);
  if (!system.abilities().units) return start_child(command);
  TransientUnit transient{.name = unit, .description = "holdfast " + arguments.front(), .argv = command};
  if (!on_end.empty()) transient.on_end = own_command(system, on_end);
  if (system.start_transient(transient)) return;
  Command start{.argv = {"systemd-run", "--quiet", "--collect", "--unit=" + unit, "--property=Type=exec",
                         "--property=OOMPolicy=continue", "--property=Delegate=", "--description=holdfast " + arguments.front()}};
  if (!on_end.empty()) start.argv.push_back("--property=ExecStopPost=" + quoted(own_command(system, on_end)));
  start.argv.emplace_back("--");
  start.argv.insert(start.argv.end(), command.begin(), command.end());
  const Output output = system.run(start);
  if (!output.ok()) throw Error(describe_failure(start, output));
}

}  // namespace holdfast
