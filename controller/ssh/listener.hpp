#pragma once

#include <controller/ssh/runner_client.hpp>
#include <reconcilers/fd.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// Which of many idle sessions have something to read: one descriptor for all of them, so that a thousand hosts cost
/// one thread that sleeps. Its owner guards add(), remove() and the sessions; only wait() may run beside them.
class Listener {
 public:
  /// Throws Error where the kernel has no room for it.
  Listener();

  /// From now on `name` is told when `fd` can be read; -1: never.
  void add(const std::string& name, int fd);
  void remove(const std::string& name, int fd);
  /// Waits until something can be read, or so long. Anything may have happened to the sessions meanwhile.
  [[nodiscard]] std::vector<std::uint64_t> wait(int ms) const;
  /// The names of those that wait() gave and that are still there.
  [[nodiscard]] std::vector<std::string> names(const std::vector<std::uint64_t>& ready) const;

 private:
  Fd epoll_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, std::string> names_{};
  std::map<std::string, std::uint64_t> numbers_{};
};

}  // namespace holdfast
