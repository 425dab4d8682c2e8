#include "test_sshd.hpp"

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace holdfast {

namespace {

using std::chrono::milliseconds;

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&name), size) == 0);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0);
  close(fd);
  return ntohs(name.sin_port);
}

bool answers(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(port));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool there = connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
  close(fd);
  return there;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = "/tmp/holdfast-ssh-XXXXXX";
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
  std::filesystem::permissions(path_, std::filesystem::perms(0755));  // the account `deploy` lives below it
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text, unsigned mode) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  REQUIRE(file.good());
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

std::string run_program(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    dup2(ends[1], 1);
    execvp(words[0], words.data());
    _exit(127);
  }
  close(ends[1]);
  std::string output;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  INFO(argv[0]);
  REQUIRE(status == 0);
  return output;
}

std::string make_key(const std::string& path, const std::string& type, int bits) {
  std::vector<std::string> argv{"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "test", "-f", path};
  if (bits != 0) argv.insert(argv.end(), {"-b", std::to_string(bits)});
  run_program(argv);
  const std::string line = read_text(path + ".pub");
  return line.substr(0, line.find(' ', line.find(' ') + 1));
}

TestSshd::TestSshd(const Options& options) : port_(free_port()) {
  REQUIRE(getuid() == 0);
  for (const std::string& type : options.key_types) make_key(folder_.file("host_" + type), type);
  make_key(identity());
  write_text(folder_.file("authorized_keys"), read_text(identity() + ".pub"), 0644);
  write_accounts(options);
  write_config(options);
  start();
}

TestSshd::~TestSshd() {
  for (const pid_t session : sessions()) kill(session, SIGKILL);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void TestSshd::write_accounts(const Options& options) {
  const std::string home = folder_.file("home");
  const std::string root_home = folder_.file("root");
  std::filesystem::create_directories(home);
  std::filesystem::create_directories(root_home);
  write_text(folder_.file("passwd"),
             "root:x:0:0:root:" + root_home +
                 ":/bin/bash\nsshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n"
                 "deploy:x:4242:4242::" +
                 home + ":/bin/sh\n",
             0644);
  write_text(folder_.file("group"), "root:x:0:\nnogroup:x:65534:\ndeploy:x:4242:\n", 0644);
  write_text(folder_.file("shadow"), "root:*:19000::::::\nsshd:*:19000::::::\ndeploy:*:19000::::::\n", 0640);
  write_text(folder_.file("sudoers"), options.sudoers, 0440);
}

void TestSshd::write_config(const Options& options) {
  std::string text = "Port " + std::to_string(port_) +
                     "\nListenAddress 127.0.0.1\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
                     "PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 200\nMaxSessions 100\n"
                     "PrintMotd no\nLogLevel VERBOSE\nPidFile none\nAuthorizedKeysFile " +
                     folder_.file("authorized_keys") + "\n";
  for (const std::string& type : options.key_types) text += "HostKey " + folder_.file("host_" + type) + "\n";
  write_text(folder_.file("sshd_config"), text + options.config);
}

void TestSshd::start() {
  const std::string config = folder_.file("sshd_config");
  const std::string log_file = folder_.file("log");
  const std::array<std::array<std::string, 2>, 4> binds = {{{folder_.file("passwd"), "/etc/passwd"},
                                                            {folder_.file("group"), "/etc/group"},
                                                            {folder_.file("shadow"), "/etc/shadow"},
                                                            {folder_.file("sudoers"), "/etc/sudoers"}}};
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // it goes with a test that is killed
    bool ok = unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    for (const char* folder : {"/var/lib", "/run"}) ok = ok && mount("tmpfs", folder, "tmpfs", 0, "mode=0755") == 0;
    ok = ok && mkdir("/run/sshd", 0755) == 0;
    for (const auto& [from, to] : binds) {
      ok = ok && (access(to.c_str(), F_OK) != 0 || mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr) == 0);
    }
    if (ok) execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-E", log_file.c_str(), "-f", config.c_str(), nullptr);
    _exit(126);
  }
  for (int i = 0; i < 1000 && !answers(port_); ++i) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != 0) FAIL("sshd ended: " << status << "\n" << log());
    std::this_thread::sleep_for(milliseconds(10));
  }
  REQUIRE(answers(port_));
}

std::string TestSshd::host_key(const std::string& type) const {
  const std::string line = read_text(folder_.file("host_" + type + ".pub"));
  return line.substr(0, line.find(' ', line.find(' ') + 1));
}

std::string TestSshd::known_hosts_line(const std::string& type) const {
  return "[127.0.0.1]:" + std::to_string(port_) + " " + host_key(type) + "\n";
}

std::string TestSshd::inside(const std::string& path) const { return "/proc/" + std::to_string(pid_) + "/root" + path; }

std::vector<pid_t> TestSshd::sessions() const {
  const std::string all = read_text("/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) + "/children");
  std::istringstream words(all);
  std::vector<pid_t> pids;
  for (pid_t pid = 0; words >> pid;) pids.push_back(pid);
  return pids;
}

Host TestSshd::host() const {
  Host host;
  host.name = "test";
  host.address = "127.0.0.1";
  host.port = port_;
  host.host_keys = {host_key()};
  return host;
}

ConnectOptions TestSshd::options(const std::string& runner) const {
  return {.runner = runner, .known_hosts = folder_.file("known_hosts"), .identity = identity(), .agent = false};
}

Frozen::Frozen(pid_t pid) : pid_(pid) { REQUIRE(kill(pid, SIGSTOP) == 0); }
Frozen::~Frozen() { kill(pid_, SIGCONT); }

Deadline in_ms(std::int64_t ms) { return std::chrono::steady_clock::now() + milliseconds(ms); }

}  // namespace holdfast
