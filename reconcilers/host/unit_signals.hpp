#pragma once

#include <reconcilers/fd.hpp>

#include <string>
#include <string_view>

namespace holdfast {

/// What systemd tells, unasked, who is connected to its private socket: which units' states change. Listened to without
/// waiting; who stops listening must close it, because systemd keeps what was not read.
class UnitSignals {
 public:
  /// Throws Error where systemd can't be reached this way.
  explicit UnitSignals(const std::string& socket = "/run/systemd/private");

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Reads what is there and calls `use` with the last part of each signal's path ("nginx_2eservice"), and its name.
  /// False where systemd has closed the connection: it was executed anew, perhaps.
  template <typename Use>
  bool take(Use&& use) {
    const bool open = read_more();
    std::string label;
    std::string member;
    while (next(label, member)) use(label, member);
    return open;
  }

 private:
  bool read_more();
  bool next(std::string& label, std::string& member);

  Fd fd_;
  std::string buffer_{};
  bool greeted_ = false;
};

}  // namespace holdfast
