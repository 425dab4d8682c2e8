#include "git_fixture.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace holdfast::test {

namespace {

pid_t start(const std::vector<std::string>& argv, int output) {
  std::vector<char*> arguments;
  for (const std::string& one : argv) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  if (output < 0) posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int code = posix_spawnp(&pid, argv.front().c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) throw std::runtime_error("can't start " + argv.front());
  return pid;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "holdfast-git-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make a temporary folder");
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string run(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const pid_t pid = start(argv, ends[1]);
  close(ends[1]);
  std::string output;
  std::array<char, 4096> piece{};
  for (ssize_t count = read(ends[0], piece.data(), piece.size()); count > 0;
       count = read(ends[0], piece.data(), piece.size())) {
    output.append(piece.data(), static_cast<std::size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error(argv.front() + " failed: " + output);
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

void write_file(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

Background::Background(const std::vector<std::string>& argv) : pid_(start(argv, -1)) {}

Background::~Background() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

GitRepository::GitRepository(std::string path) : path_(std::move(path)) {
  run({"git", "init", "-q", "-b", "main", path_});
}

std::string GitRepository::git(std::vector<std::string> arguments) const {
  std::vector<std::string> argv = {"git",
                                   "-C",
                                   path_,
                                   "-c",
                                   "user.name=Ada Lovelace",
                                   "-c",
                                   "user.email=ada@example.org",
                                   "-c",
                                   "commit.gpgsign=false",
                                   "-c",
                                   "protocol.file.allow=always"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv);
}

std::string GitRepository::commit(const std::string& file, const std::string& bytes) const {
  write_file(path_ + "/" + file, bytes);
  git({"add", "-A"});
  git({"commit", "-q", "--allow-empty", "-m", "Change " + file});
  return git({"rev-parse", "HEAD"});
}

void wait_for_port(int port) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const sockaddr_in address = loopback(port);
  while (std::chrono::steady_clock::now() < limit) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int code = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::close(socket);
    if (code == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("nothing listens on port " + std::to_string(port));
}

/// Below those that the kernel gives away: none of its own connections may take it before our server does, and tests
/// that run beside this one look elsewhere.
int free_port() {
  constexpr int first = 10'000;
  constexpr int many = 20'000;
  static int next = getpid() * 61;
  for (int tries = 0; tries < many; ++tries) {
    const int port = first + next++ % many;
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const int code = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::close(socket);
    if (code == 0) return port;
  }
  throw std::runtime_error("no port is free");
}

MirrorOptions child_options() {
  MirrorOptions options;
  options.fetch_program = {HOLDFAST_FETCH_HELPER};
  return options;
}

Deadline in_seconds(int seconds) { return std::chrono::steady_clock::now() + std::chrono::seconds(seconds); }

}  // namespace holdfast::test
