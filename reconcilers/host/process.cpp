#include <reconcilers/host/process.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/bounded_text.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/step_group.hpp>

#include <boost/asio.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>

namespace holdfast {

namespace {

namespace asio = boost::asio;
namespace process = boost::process::v2;
using boost::system::error_code;

constexpr std::chrono::seconds kill_after{2};
constexpr std::chrono::seconds linger{1};
constexpr int cannot_exec = 127;

/// What the child does between fork and exec: only system calls, nothing that allocates.
struct ChildSetup {
  const char* folder;
  const RunAs* as;
  int group;  // see StepGroup::entry

  template <typename Launcher>
  error_code on_exec_setup(Launcher&, const process::filesystem::path&, const char* const*(&)) {
    ::setpgid(0, 0);
    if (group >= 0 && ::write(group, "0", 1) != 1) ::close(group);  // its process group has to do
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::umask(022);
    ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    if (!become() || ::chdir(folder) != 0) return {errno, boost::system::system_category()};
    return {};
  }

  [[nodiscard]] bool become() const {
    return as == nullptr ||
           (::setgroups(as->groups.size(), as->groups.data()) == 0 && ::setgid(as->gid) == 0 && ::setuid(as->uid) == 0);
  }

  // Boost 1.81 only calls the hook of four arguments where one of five exists too; without it the child runs exit(),
  // and with it our own exit handlers and buffered output.
  template <typename Launcher>
  void on_exec_error(Launcher&, const process::filesystem::path&, const char* const*(&), const error_code&) {
    ::_exit(cannot_exec);
  }
  template <typename Launcher>
  void on_exec_error(Launcher&, const error_code&, const process::filesystem::path&, const char* const*(&),
                     const error_code&) {
    ::_exit(cannot_exec);
  }
};

/// The program's file: argv[0] itself where it has a slash (relative to the working directory), else from the path.
std::string find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return name;
  std::istringstream folders(path);
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    std::string candidate = folder + "/" + name;
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::vector<std::string> environment_of(const Command& command, const std::optional<RunAs>& as) {
  std::map<std::string, std::string> variables = command.environment;
  variables.try_emplace("PATH", command_path);
  variables.try_emplace("LC_ALL", "C.UTF-8");
  variables.try_emplace("HOME", as ? as->home : "/root");
  if (as) {
    variables.try_emplace("USER", as->name);
    variables.try_emplace("LOGNAME", as->name);
  }
  std::vector<std::string> entries;
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  return entries;
}

/// The input as a file in memory: nothing to feed while it runs, and no SIGPIPE where nobody reads it.
Fd input_file(const Command& command) {
  if (!command.input_file.empty()) {
    Fd given(::open(command.input_file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!given) throw_system_error("cannot read", command.input_file, errno, -1);
    return given;
  }
  const std::string& input = command.input;
  Fd file(input.empty() ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : ::memfd_create("input", MFD_CLOEXEC));
  if (!file) throw_system_error("cannot prepare the input of", "a program", errno, -1);
  std::size_t done = 0;
  while (done < input.size()) {
    const ssize_t count = ::write(file.get(), input.data() + done, input.size() - done);
    if (count < 0 && errno != EINTR) throw_system_error("cannot prepare the input of", "a program", errno, -1);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// One stream of the child, read to its end.
struct Stream {
  Stream(asio::io_context& context, std::size_t limit) : pipe(context), text(limit) {}
  asio::readable_pipe pipe;
  BoundedText text;
  std::array<char, 65536> buffer{};
  bool open = true;
};

/// One running child and everything that is waited for.
class Run {
 public:
  Run(const Command& command, const std::optional<RunAs>& as)
      : command_(command),
        as_(as),
        out_(context_, command.output_bytes),
        err_(context_, command.output_bytes),
        deadline_(context_),
        linger_(context_) {}

  Output operator()() {
    if (!start()) return std::move(output_);
    read(out_);
    read(err_);
    child_->async_wait([this](error_code, int) { ended(); });
    deadline_.expires_after(command_.deadline);
    deadline_.async_wait([this](error_code error) {
      if (!error) stop();
    });
    context_.run();
    return result();
  }

 private:
  bool start() {
    const std::vector<std::string> environment = environment_of(command_, as_);
    std::vector<const char*> pointers;
    for (const std::string& entry : environment) pointers.push_back(entry.c_str());
    pointers.push_back(nullptr);
    const auto path = command_.environment.find("PATH");
    if (command_.argv.empty()) throw Error("expected a program to run, found an empty argument list");
    const std::string program =
        find_program(command_.argv[0], path == command_.environment.end() ? command_path : path->second);
    if (program.empty()) return not_started("there is no such program in " + std::string(command_path));

    const Fd input = input_file(command_);
    process::default_process_launcher launcher;
    launcher.env = pointers.data();
    const std::vector<std::string> arguments(command_.argv.begin() + 1, command_.argv.end());
    error_code error;
    child_.emplace(launcher(context_.get_executor(), error, process::filesystem::path(program), arguments,
                            process::process_stdio{input.get(), out_.pipe, err_.pipe},
                            ChildSetup{command_.folder.c_str(), as_ ? &*as_ : nullptr, group_.entry()}));
    return error ? not_started(error.message()) : true;
  }

  bool not_started(const std::string& why) {
    output_.err = "cannot start \"" + command_.argv[0] + "\": " + why;
    return false;
  }

  void read(Stream& stream) {
    stream.pipe.async_read_some(asio::buffer(stream.buffer), [this, &stream](error_code error, std::size_t count) {
      const std::string_view bytes(stream.buffer.data(), count);
      stream.text.add(bytes);
      if (command_.on_output && count > 0) command_.on_output(bytes);
      if (&stream == &out_ && command_.on_stdout && count > 0 && !refused_ && !command_.on_stdout(bytes)) {
        refused_ = true;
        signal_group(SIGKILL);
      }
      if (!error) return read(stream);
      stream.open = false;
      finish();
    });
  }

  /// A polite signal is for the program's own group; SIGKILL is for whatever it started.
  void signal_group(int signal) {
    ::kill(-static_cast<pid_t>(child_->id()), signal);
    if (signal == SIGKILL) group_.kill();
  }

  void stop() {
    output_.timed_out = true;
    signal_group(SIGTERM);
    deadline_.expires_after(kill_after);
    deadline_.async_wait([this](error_code error) {
      if (!error) signal_group(SIGKILL);
    });
  }

  void ended() {
    running_ = false;
    if (output_.timed_out) signal_group(SIGKILL);
    finish();
    if (!out_.open && !err_.open) return;
    linger_.expires_after(linger);
    linger_.async_wait([this](error_code error) {
      if (error) return;
      signal_group(SIGKILL);
      out_.pipe.close();
      err_.pipe.close();
    });
  }

  void finish() {
    if (running_ || out_.open || err_.open) return;
    deadline_.cancel();
    linger_.cancel();
  }

  Output result() {
    const int status = child_->native_exit_code();
    output_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    output_.out = out_.text.text();
    output_.err = err_.text.text();
    return std::move(output_);
  }

  const Command& command_;
  const std::optional<RunAs>& as_;
  StepGroup group_;  // its end is the end of all that is left of the program
  asio::io_context context_;
  std::optional<process::process> child_;
  Stream out_;
  Stream err_;
  asio::steady_timer deadline_;
  asio::steady_timer linger_;
  Output output_;
  bool running_ = true;
  bool refused_ = false;  // nobody wants the rest of its output
};

std::string last_lines(const std::string& text, std::size_t count) {
  std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return {};
  std::size_t begin = end + 1;
  for (std::size_t lines = 0; lines < count && begin != std::string::npos && begin > 0; ++lines) {
    begin = text.rfind('\n', begin - 1);
  }
  begin = begin == std::string::npos || begin == 0 ? 0 : begin + 1;
  return text.substr(begin, end + 1 - begin);
}

}  // namespace

Output run_process(const Command& command, const std::optional<RunAs>& as) { return Run(command, as)(); }

std::string describe_failure(const Command& command, const Output& output) {
  constexpr std::size_t shown_lines = 20;
  std::string text;
  for (const std::string& argument : command.argv) text += (text.empty() ? "" : " ") + argument;
  constexpr std::size_t shown_bytes = 200;
  if (text.size() > shown_bytes) text = text.substr(0, shown_bytes) + "…";
  if (output.timed_out) {
    text += ": not done after " + std::to_string(command.deadline.count()) + " ms";
  } else if (output.exit_code >= 0) {
    text += ": exit " + std::to_string(output.exit_code);
  }
  const std::string said = last_lines(output.err, shown_lines);
  const std::string why = said.empty() ? last_lines(output.out, shown_lines) : said;
  return why.empty() ? text : text + ": " + why;
}

}  // namespace holdfast
