#include <controller/ssh/ssh_connection.hpp>

#include <controller/ssh/socket.hpp>
#include <manifests/error.hpp>
#include <reconcilers/fd.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

extern char** environ;

namespace holdfast {

namespace {

constexpr std::size_t errors_kept_bytes = 4096;
constexpr std::size_t chunk_bytes = 65'536;
constexpr std::chrono::milliseconds ending_wait{2000};

/// Children whose stream was closed while they still worked: nobody kills a runner in the middle of a transaction, but
/// somebody has to collect it.
class Leftovers {
 public:
  void add(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.push_back(pid);
  }
  void collect() {
    const std::lock_guard lock(mutex_);
    std::erase_if(pids_, [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; });
  }
  static Leftovers& all() {
    static Leftovers leftovers;
    return leftovers;
  }

 private:
  std::mutex mutex_{};
  std::vector<pid_t> pids_{};
};

/// Our end and the child's end of one of its streams; all of them vanish on exec but for what is put in place.
struct Ends {
  Fd ours{};
  Fd childs{};
};

Ends input_ends() {
  std::array<int, 2> ends{};
  // A socket, because a write to it can be told not to raise SIGPIPE.
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error(std::string("cannot make a pair of sockets: ") + std::strerror(errno));
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

Ends output_ends() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(std::string("cannot make a pipe: ") + std::strerror(errno));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {Fd(ends[0]), Fd(ends[1])};
}

pid_t spawn(const std::vector<std::string>& argv, int in, int out, int err) {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  sigset_t none{};
  sigemptyset(&none);
  sigset_t usual{};
  sigfillset(&usual);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  // A session of its own: Ctrl-C at the terminal is for the controller, which then decides.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int problem = posix_spawn(&pid, words[0], &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) throw Error("cannot start the host runner \"" + argv[0] + "\": " + std::strerror(problem));
  return pid;
}

class ChildStream : public Stream {
 public:
  explicit ChildStream(const std::vector<std::string>& argv) {
    Leftovers::all().collect();
    Ends in = input_ends();
    Ends out = output_ends();
    Ends err = output_ends();
    pid_ = spawn(argv, in.childs.get(), out.childs.get(), err.childs.get());
    input_ = std::move(in.ours);
    output_ = std::move(out.ours);
    errors_fd_ = std::move(err.ours);
  }

  ~ChildStream() override {
    input_.close();
    output_.close();
    errors_fd_.close();
    if (!ended_ && waitpid(pid_, nullptr, WNOHANG) == 0) Leftovers::all().add(pid_);
  }

  void write(std::string_view bytes, Deadline deadline) override {
    while (!bytes.empty()) {
      const ssize_t sent = send(input_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent >= 0) continue;
      if (errno != EAGAIN && errno != EINTR) throw Error("the host runner no longer reads: " + (drain(), collected_));
      wait(POLLOUT, 0, deadline);
    }
  }

  std::string read(std::size_t max, Deadline deadline) override {
    std::string bytes(std::min(max, chunk_bytes), '\0');
    for (;;) {
      drain();
      const ssize_t got = ::read(output_.get(), bytes.data(), bytes.size());
      if (got >= 0) {
        bytes.resize(static_cast<std::size_t>(got));
        if (got == 0) end(deadline);
        return bytes;
      }
      if (errno != EAGAIN && errno != EINTR)
        throw Error(std::string("cannot read from the host runner: ") + std::strerror(errno));
      wait(0, POLLIN, deadline);
    }
  }

  void close_input() override { shutdown(input_.get(), SHUT_WR); }
  [[nodiscard]] bool ended() const override {
    pollfd now{.fd = output_.get(), .events = POLLIN, .revents = 0};
    return poll(&now, 1, 0) > 0 && (now.revents & POLLIN) == 0;
  }
  [[nodiscard]] std::string errors() const override { return collected_; }
  std::string take(std::size_t max) override {
    std::string bytes(std::min(max, chunk_bytes), '\0');
    const ssize_t got = ::read(output_.get(), bytes.data(), bytes.size());
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }
  [[nodiscard]] int wake_fd() const override { return output_.get(); }

 private:
  void wait(short input_events, short output_events, Deadline deadline) {
    const int left_ms = remaining_ms(deadline);
    if (left_ms == 0) throw Error("timed out waiting for the host runner on this machine");
    std::array<pollfd, 3> waiting = {
        {{.fd = input_events == 0 ? -1 : input_.get(), .events = input_events, .revents = 0},
         {.fd = output_events == 0 ? -1 : output_.get(), .events = output_events, .revents = 0},
         {.fd = errors_fd_.get(), .events = POLLIN, .revents = 0}}};
    poll(waiting.data(), waiting.size(), left_ms);
    drain();
  }

  void drain() {
    std::array<char, 4096> buffer{};
    while (errors_fd_) {
      const ssize_t got = ::read(errors_fd_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got == 0) errors_fd_.close();
      if (got <= 0) return;
      collected_.append(buffer.data(), static_cast<std::size_t>(got));
      if (collected_.size() > errors_kept_bytes) collected_.erase(0, collected_.size() - errors_kept_bytes);
    }
  }

  /// Collects the child, which is about to end, and how it ended.
  void end(Deadline deadline) {
    const Deadline until = std::min(deadline, Deadline::clock::now() + ending_wait);
    int status = 0;
    while (!ended_) {
      ended_ = waitpid(pid_, &status, WNOHANG) != 0;
      if (ended_ || remaining_ms(until) == 0) break;
      pollfd nothing{.fd = errors_fd_.get(), .events = POLLIN, .revents = 0};
      poll(&nothing, 1, 1);
    }
    drain();
    if (ended_ && WIFEXITED(status) && WEXITSTATUS(status) != 0) {
      collected_ += "(exit status " + std::to_string(WEXITSTATUS(status)) + ")";
    }
    if (ended_ && WIFSIGNALED(status)) collected_ += "(signal " + std::to_string(WTERMSIG(status)) + ")";
  }

  pid_t pid_ = 0;
  Fd input_{};
  Fd output_{};
  Fd errors_fd_{};
  std::string collected_{};
  bool ended_ = false;
};

class LocalConnection : public Connection {
 public:
  LocalConnection(std::string runner, std::string root) : runner_(std::move(runner)), root_(std::move(root)) {}

  std::unique_ptr<Stream> start_runner(const std::vector<std::string>& arguments, Deadline /*deadline*/) override {
    std::vector<std::string> argv{runner_};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    if (!arguments.empty() && arguments.front() == "serve") argv.insert(argv.end(), {"--root", root_});
    return std::make_unique<ChildStream>(argv);
  }

  [[nodiscard]] bool alive() const override { return true; }

 private:
  std::string runner_;
  std::string root_;
};

}  // namespace

std::unique_ptr<Connection> connect_local(const Host& host, const ConnectOptions& options) {
  return std::make_unique<LocalConnection>(options.runner, host.root);
}

}  // namespace holdfast
