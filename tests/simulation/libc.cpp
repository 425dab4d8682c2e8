// The C library as simulated processes see it. The code under test is the real one, linked unchanged; its calls land
// here first. Outside of the simulation every call goes on to the kernel, or to the C library.
#include "pipes.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>

namespace holdfast::simulation {

namespace {

constexpr int first_descriptor = 1'000'000;
constexpr Time wall_begin = 1'800'000'000 * second;
constexpr Time clock_begin = 100 * second;

struct Descriptor {
  std::shared_ptr<Pipe> pipe{};
  std::function<Time()> latency{};  // of a writer
};
std::map<int, Descriptor>& descriptors() {
  static std::map<int, Descriptor> all;
  return all;
}
int next_descriptor = first_descriptor;

Descriptor* descriptor(int number) {
  if (number < first_descriptor) return nullptr;
  const auto found = descriptors().find(number);
  return found == descriptors().end() ? nullptr : &found->second;
}

bool inside() { return machine() != nullptr && machine()->is_inside(); }

Time of_clock(clockid_t clock) {
  Machine& here = *machine();
  const Time now = here.look_at_clock();
  const Computer* computer = here.running()->computer;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
    return wall_begin + now + (computer != nullptr ? computer->wall_offset : 0);
  }
  return clock_begin + now - (computer != nullptr ? computer->booted : 0);
}

Time as_time(const struct timespec& time) { return time.tv_sec * second + time.tv_nsec; }

/// Where a deadline of a clock lies.
Time from_clock(clockid_t clock, const struct timespec& time) {
  const Computer* computer = machine()->running()->computer;
  if (clock == CLOCK_REALTIME) return as_time(time) - wall_begin - (computer != nullptr ? computer->wall_offset : 0);
  return as_time(time) - clock_begin + (computer != nullptr ? computer->booted : 0);
}

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

/// Below the computer's disk: may fail, and is a place where processes die.
bool disk_fails(const char* what) {
  Machine& here = *machine();
  here.point(what);
  Computer* computer = here.running()->computer;
  if (computer == nullptr || computer->failing_disk <= 0 || !here.chance(computer->failing_disk)) return false;
  here.trace(std::string(what) + " fails");
  errno = computer->failing_error;
  return true;
}

void changes(const std::string& path) {
  Machine& here = *machine();
  here.modified[path] = here.look_at_clock();
  here.modified[path.substr(0, path.rfind('/'))] = here.look_at_clock();
}

int wait_on(pthread_cond_t* condition, pthread_mutex_t* mutex, Time until) {
  Machine& here = *machine();
  auto waiter = std::make_shared<Machine::Waiter>();
  here.conditions[condition].push_back(waiter);
  ::pthread_mutex_unlock(mutex);
  const bool signaled = here.wait([&waiter] { return waiter->signaled; }, until);
  if (!signaled) std::erase(here.conditions[condition], waiter);
  ::pthread_mutex_lock(mutex);
  return signaled ? 0 : ETIMEDOUT;
}

}  // namespace

void Pipe::push(std::string bytes, Time arrives) {
  if (tap) tap(bytes);
  last_arrival = std::max(last_arrival, arrives);
  data.emplace_back(last_arrival, std::move(bytes));
  if (machine() != nullptr) machine()->alarm(last_arrival);
}

std::string Pipe::pull(std::size_t most) {
  std::string& first = data.front().second;
  if (first.size() > most) {
    std::string piece = first.substr(0, most);
    first.erase(0, most);
    return piece;
  }
  std::string whole = std::move(first);
  data.pop_front();
  return whole;
}

int add_reader(std::shared_ptr<Pipe> pipe) {
  descriptors()[next_descriptor] = {std::move(pipe), {}};
  return next_descriptor++;
}

int add_writer(std::shared_ptr<Pipe> pipe, std::function<Time()> latency) {
  descriptors()[next_descriptor] = {std::move(pipe), std::move(latency)};
  return next_descriptor++;
}

void forget_descriptors() {
  descriptors().clear();
  next_descriptor = first_descriptor;
}

}  // namespace holdfast::simulation

// NOLINTBEGIN: these names and signatures are the C library's.
using namespace holdfast::simulation;

extern "C" {

int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  if (!inside() || clock == CLOCK_THREAD_CPUTIME_ID || clock == CLOCK_PROCESS_CPUTIME_ID) {
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  }
  const Time now = of_clock(clock);
  time->tv_sec = now / second;
  time->tv_nsec = now % second;
  return 0;
}

int nanosleep(const struct timespec* time, struct timespec* left) {
  if (!inside()) return static_cast<int>(::syscall(SYS_nanosleep, time, left));
  machine()->sleep(as_time(*time));
  return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec* time, struct timespec* left) {
  if (!inside()) return ::syscall(SYS_clock_nanosleep, clock, flags, time, left) == 0 ? 0 : errno;
  if ((flags & TIMER_ABSTIME) == 0) {
    machine()->sleep(as_time(*time));
  } else {
    machine()->wait([] { return false; }, from_clock(clock, *time));
  }
  return 0;
}

int usleep(useconds_t time) {
  const struct timespec whole { .tv_sec = time / 1'000'000, .tv_nsec = static_cast<long>(time % 1'000'000) * 1000 };
  return ::nanosleep(&whole, nullptr);
}

pid_t getpid() noexcept { return inside() ? machine()->running()->id : static_cast<pid_t>(::syscall(SYS_getpid)); }

ssize_t getrandom(void* buffer, size_t size, unsigned flags) {
  if (!inside()) return ::syscall(SYS_getrandom, buffer, size, flags);
  for (size_t i = 0; i < size; ++i)
    static_cast<unsigned char*>(buffer)[i] = static_cast<unsigned char>(machine()->random(256));
  return static_cast<ssize_t>(size);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  if (inside() && std::strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
    const Computer* computer = machine()->running()->computer;
    if (computer != nullptr && !computer->boot_file.empty()) path = computer->boot_file.c_str();
  }
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

ssize_t read(int number, void* buffer, size_t size) {
  Descriptor* end = inside() ? descriptor(number) : nullptr;
  if (end == nullptr) return ::syscall(SYS_read, number, buffer, size);
  const std::shared_ptr<Pipe> pipe = end->pipe;
  Machine& here = *machine();
  here.point("read");
  here.wait([&] { return pipe->has_data(here.now()) || pipe->at_end(here.now()); }, never);
  if (!pipe->has_data(here.now())) return 0;
  const std::string bytes = pipe->pull(size);
  std::memcpy(buffer, bytes.data(), bytes.size());
  return static_cast<ssize_t>(bytes.size());
}

ssize_t write(int number, const void* buffer, size_t size) {
  if (!inside()) return ::syscall(SYS_write, number, buffer, size);
  const Descriptor* end = descriptor(number);
  if (end == nullptr) {
    if (disk_fails("write")) return -1;
    return ::syscall(SYS_write, number, buffer, size);
  }
  const std::shared_ptr<Pipe> pipe = end->pipe;
  const Time latency = end->latency();
  machine()->point("write to a connection");
  if (pipe->broken || pipe->reader_gone) {
    errno = EPIPE;
    return -1;
  }
  pipe->push(std::string(static_cast<const char*>(buffer), size), machine()->now() + latency);
  return static_cast<ssize_t>(size);
}

int poll(struct pollfd* ends, nfds_t count, int timeout) {
  const Descriptor* end = inside() && count == 1 ? descriptor(ends->fd) : nullptr;
  if (end == nullptr) return static_cast<int>(::syscall(SYS_poll, ends, count, timeout));
  const std::shared_ptr<Pipe> pipe = end->pipe;
  Machine& here = *machine();
  const bool reads = (ends->events & POLLIN) != 0;
  const auto ready = [&] { return pipe->hung_up() || (reads && pipe->has_data(here.now())); };
  const bool some = here.wait(ready, timeout < 0 ? never : here.now() + timeout * ms);
  ends->revents = 0;
  if (!some) return 0;
  ends->revents = static_cast<short>(pipe->hung_up() ? POLLRDHUP : POLLIN);
  return 1;
}

int flock(int number, int operation) noexcept {
  const int result = static_cast<int>(::syscall(SYS_flock, number, operation));
  const int error = errno;
  if (inside() && result == 0) machine()->running()->locks.insert(number);
  errno = error;
  return result;
}

int close(int number) {
  if (inside()) machine()->running()->locks.erase(number);
  return static_cast<int>(::syscall(SYS_close, number));
}

int fsync(int number) {
  if (!inside()) return static_cast<int>(::syscall(SYS_fsync, number));
  return disk_fails("fsync") ? -1 : 0;
}

int fdatasync(int number) {
  if (!inside()) return static_cast<int>(::syscall(SYS_fdatasync, number));
  return disk_fails("fdatasync") ? -1 : 0;
}

int rename(const char* from, const char* to) noexcept {
  if (inside()) machine()->point("rename");
  const int result = static_cast<int>(::syscall(SYS_rename, from, to));
  const int error = errno;
  if (inside()) {
    if (result == 0) changes(to);
    machine()->point("renamed");
  }
  errno = error;
  return result;
}

int mkdir(const char* path, mode_t mode) noexcept {
  const int result = static_cast<int>(::syscall(SYS_mkdir, path, mode));
  if (inside() && result == 0) changes(path);
  return result;
}

int stat(const char* path, struct stat* status) noexcept {
  const int result = static_cast<int>(::syscall(SYS_newfstatat, AT_FDCWD, path, status, 0));
  if (result != 0 || machine() == nullptr) return result;
  const auto found = machine()->modified.find(path);
  const Time when = wall_begin + (found == machine()->modified.end() ? 0 : found->second);
  status->st_mtim = {.tv_sec = when / second, .tv_nsec = when % second};
  return result;
}

int unlink(const char* path) noexcept {
  if (inside()) machine()->point("unlink");
  return static_cast<int>(::syscall(SYS_unlink, path));
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const auto lock = real<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  if (!inside()) return lock(mutex);
  for (;;) {
    const int result = ::pthread_mutex_trylock(mutex);
    if (result != EBUSY) return result;
    machine()->wait([mutex] { return mutex->__data.__lock == 0; }, never);
  }
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  static const auto wait = real<int (*)(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait");
  return inside() ? wait_on(condition, mutex, never) : wait(condition, mutex);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const struct timespec* time) {
  static const auto wait =
      real<int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*)>("pthread_cond_clockwait");
  return inside() ? wait_on(condition, mutex, from_clock(clock, *time)) : wait(condition, mutex, clock, time);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const struct timespec* time) {
  static const auto wait =
      real<int (*)(pthread_cond_t*, pthread_mutex_t*, const struct timespec*)>("pthread_cond_timedwait");
  return inside() ? wait_on(condition, mutex, from_clock(CLOCK_REALTIME, *time)) : wait(condition, mutex, time);
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  static const auto signal = real<int (*)(pthread_cond_t*)>("pthread_cond_signal");
  if (!inside()) return signal(condition);
  auto& waiters = machine()->conditions[condition];
  if (waiters.empty()) return 0;
  const auto chosen = waiters.begin() + static_cast<std::ptrdiff_t>(machine()->random(waiters.size()));
  (*chosen)->signaled = true;
  waiters.erase(chosen);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  static const auto broadcast = real<int (*)(pthread_cond_t*)>("pthread_cond_broadcast");
  if (!inside()) return broadcast(condition);
  auto& waiters = machine()->conditions[condition];
  for (const auto& waiter : waiters) waiter->signaled = true;
  waiters.clear();
  return 0;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* argument) noexcept {
  static const auto create =
      real<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  if (!inside()) return create(thread, attributes, body, argument);
  *thread = machine()->start_thread([body, argument] { body(argument); });
  return 0;
}

int pthread_join(pthread_t thread, void** result) {
  static const auto join = real<int (*)(pthread_t, void**)>("pthread_join");
  if (!inside()) return join(thread, result);
  machine()->wait([thread] { return machine()->has_ended(thread); }, never);
  return 0;
}

int pthread_detach(pthread_t thread) noexcept {
  static const auto detach = real<int (*)(pthread_t)>("pthread_detach");
  return inside() ? 0 : detach(thread);
}

}  // extern "C"
// NOLINTEND
