#include <controller/ssh/socket.hpp>

#include <manifests/error.hpp>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <memory>

namespace holdfast {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int keepalive_s = 5;
constexpr int keepalive_count = 3;
constexpr unsigned user_timeout_ms = 20'000;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

struct Resolved {
  int code = EAI_AGAIN;
  Addresses list{};
};

Resolved resolve_now(const std::string& address, int port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  int code = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (code != 0) {
    hints.ai_flags = AI_NUMERICSERV;  // a machine with nothing but loopback has no "configured" family
    code = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list);
  }
  return {code, Addresses(code == 0 ? list : nullptr)};
}

/// getaddrinfo knows no deadline, so it runs in a thread that is left behind when it takes too long.
Addresses resolve(const std::string& address, int port, Deadline deadline) {
  auto promise = std::make_shared<std::promise<Resolved>>();
  std::future<Resolved> result = promise->get_future();
  std::thread([promise, address, port] { promise->set_value(resolve_now(address, port)); }).detach();
  if (result.wait_until(deadline) != std::future_status::ready) {
    throw Error("timed out looking up \"" + address + "\"");
  }
  Resolved resolved = result.get();
  if (resolved.code != 0) throw Error("cannot look up \"" + address + "\": " + gai_strerror(resolved.code));
  return std::move(resolved.list);
}

void set(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

void set_options(int fd) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_s);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_s);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive_count);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(user_timeout_ms));
}

/// The errno of a connection attempt; 0 when it is there.
int connect_one(int fd, const addrinfo& to, Deadline deadline) {
  if (::connect(fd, to.ai_addr, to.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  for (;;) {
    const int ready = poll(&waiting, 1, remaining_ms(deadline));
    if (ready == 0) return ETIMEDOUT;
    if (ready > 0) break;
    if (errno != EINTR) return errno;
  }
  int problem = 0;
  socklen_t size = sizeof problem;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size);
  return problem;
}

}  // namespace

int remaining_ms(Deadline deadline) {
  const auto left = deadline - steady_clock::now();
  if (left <= steady_clock::duration::zero()) return 0;
  constexpr milliseconds most = std::chrono::hours(1);
  return static_cast<int>(std::min(duration_cast<milliseconds>(left) + milliseconds(1), most).count());
}

Fd connect_tcp(const std::string& address, int port, Deadline deadline) {
  const Addresses addresses = resolve(address, port, deadline);
  int problem = 0;
  std::ptrdiff_t left = 0;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) ++left;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next, --left) {
    Fd fd(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, one->ai_protocol));
    if (!fd) {
      problem = errno;
      continue;
    }
    // A first address that swallows everything must leave time for the second.
    const auto now = steady_clock::now();
    problem = connect_one(fd.get(), *one, now + (deadline - now) / left);
    if (problem == 0) {
      set_options(fd.get());
      return fd;
    }
  }
  throw Error("cannot connect to \"" + address + "\" port " + std::to_string(port) + ": " + std::strerror(problem));
}

void acknowledge_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

Fd connect_unix(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path)
    throw Error("expected the path of a socket, found \"" + path + "\"");
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  // Without waiting: an agent that hangs may have a full queue.
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    throw Error("cannot connect to the socket \"" + path + "\": " + std::strerror(errno));
  }
  fcntl(fd.get(), F_SETFL, 0);
  return fd;
}

Watchdog::Watchdog(Deadline deadline) : thread_([this, deadline] { run(deadline); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::guard(int fd) {
  Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  const std::lock_guard lock(mutex_);
  if (fired_) shutdown(copy.get(), SHUT_RDWR);
  guarded_.push_back(std::move(copy));
}

bool Watchdog::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

void Watchdog::run(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_until(lock, deadline, [this] { return over_; })) return;
  fired_ = true;
  for (const Fd& one : guarded_) shutdown(one.get(), SHUT_RDWR);
}

}  // namespace holdfast
