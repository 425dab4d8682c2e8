#include <reconcilers/failpoint.hpp>

#include <manifests/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#if defined(HOLDFAST_FAILPOINTS)
// The linker's names for both ends of the section; HOLDFAST_FAILPOINT puts the pointers between them.
extern "C" {
extern const char* const __start_holdfast_failpoints[] __attribute__((weak));
extern const char* const __stop_holdfast_failpoints[] __attribute__((weak));
}
#endif

namespace holdfast {

namespace {

constexpr std::chrono::milliseconds wait_step{20};
constexpr std::chrono::minutes longest_wait{10};  // a drill that forgot us must not leave a runner for ever

struct Line {
  std::string role{};
  std::string name{};
  std::size_t number = 0;  // 0: any hit
  std::string action{};
};

std::optional<Line> line_from(const std::string& text) {
  std::istringstream words(text);
  Line line;
  if (!(words >> line.name >> line.action)) return std::nullopt;
  if (const std::size_t colon = line.name.find(':'); colon != std::string::npos) {
    line.role = line.name.substr(0, colon);
    line.name.erase(0, colon + 1);
  }
  if (const std::size_t sign = line.name.find('#'); sign != std::string::npos) {
    line.number = static_cast<std::size_t>(std::atoll(line.name.c_str() + sign + 1));
    line.name.erase(sign);
  }
  return line;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> piece{};
  ::lseek(fd, 0, SEEK_SET);
  for (ssize_t count = 0; (count = ::read(fd, piece.data(), piece.size())) > 0;)
    text.append(piece.data(), static_cast<std::size_t>(count));
  return text;
}

void add_line(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text + "\n" << std::flush;
}

int error_number(const std::string& name) {
  static const std::map<std::string, int> numbers = {
      {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}};
  const auto found = numbers.find(name);
  return found == numbers.end() ? EIO : found->second;
}

class Failpoints {
 public:
  void use_hook(FailpointHook hook) { hook_ = std::move(hook); }

  void use_file(const std::string& path, const std::string& role) {
    const std::scoped_lock lock(mutex_);
    path_ = path;
    role_ = role;
    hits_.clear();
    all_hits_ = 0;
  }

  void hit(const char* name) {
    if (hook_) return hook_(name);
    std::string action;
    {
      const std::scoped_lock lock(mutex_);
      if (path_.empty()) return;
      ++all_hits_;
      ++hits_[name];
      action = action_for(name);
    }
    if (!action.empty()) act(name, action);
  }

 private:
  /// What the file says about this hit. What is to be done once is taken out of it, so that the program's next start is
  /// not hit again.
  std::string action_for(const std::string& name) {
    const int fd = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return {};
    ::flock(fd, LOCK_EX);  // other processes are hit too
    std::istringstream lines(read_all(fd));
    std::string rest;
    std::string action;
    for (std::string text; std::getline(lines, text);) {
      const std::optional<Line> line = line_from(text);
      if (line && action.empty() && is_meant(*line, name)) {
        if (line->action == "trace") {
          add_line(path_ + ".trace", role_ + " " + name + " " + std::to_string(::getpid()));
        } else {
          action = line->action;
          continue;
        }
      }
      rest += text + "\n";
    }
    if (!action.empty() && (::ftruncate(fd, 0) != 0 || ::pwrite(fd, rest.data(), rest.size(), 0) < 0)) action.clear();
    ::close(fd);
    return action;
  }

  [[nodiscard]] bool is_meant(const Line& line, const std::string& name) const {
    if (!line.role.empty() && line.role != role_) return false;
    if (line.name != "*" && line.name != name) return false;
    const std::size_t number = line.name == "*" ? all_hits_ : hits_.at(name);
    return line.number == 0 || line.number == number;
  }

  void act(const std::string& name, const std::string& action) const {
    if (action == "kill") {
      add_line(path_ + ".hit", role_ + " " + name);
      ::kill(::getpid(), SIGKILL);
    } else if (action == "wait") {
      add_line(path_ + ".hit", role_ + " " + name);
      const auto until = std::chrono::steady_clock::now() + longest_wait;
      while (::access((path_ + ".go").c_str(), F_OK) != 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(wait_step);
    } else if (action.starts_with("error:")) {
      add_line(path_ + ".hit", role_ + " " + name);
      const std::string error = action.substr(6);
      throw Error("failpoint " + name + ": " + std::strerror(error_number(error)) + " (" + error + ")");
    }
  }

  FailpointHook hook_{};
  std::mutex mutex_{};
  std::string path_{};
  std::string role_{};
  std::map<std::string, std::size_t> hits_{};
  std::size_t all_hits_ = 0;
};

Failpoints& failpoints() {
  static Failpoints all;
  return all;
}

}  // namespace

std::vector<std::string> failpoint_names() {
  std::vector<std::string> names;
#if defined(HOLDFAST_FAILPOINTS)
  for (const char* const* at = __start_holdfast_failpoints; at != __stop_holdfast_failpoints; ++at)
    names.emplace_back(*at);
#endif
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

int list_failpoints(std::ostream& output) {
  const std::vector<std::string> names = failpoint_names();
  for (const std::string& name : names) output << name << "\n";
  return names.empty() ? 2 : 0;
}

void set_failpoint_hook(FailpointHook hook) { failpoints().use_hook(std::move(hook)); }

void set_failpoint_file(const std::string& path, const std::string& role) { failpoints().use_file(path, role); }

void hit_failpoint(const char* name) { failpoints().hit(name); }

}  // namespace holdfast
