#pragma once

#include <reconcilers/host/bus_message.hpp>
#include <reconcilers/host/linux_paths.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// systemd asked directly, over the socket that systemctl itself uses as root: no process is started, and the
/// connection lasts as long as this does. Properties of units only; nothing that changes anything. Used by one thread
/// at a time.
class UnitBus {
 public:
  using Properties = std::map<std::string, BusValue, std::less<>>;

  /// Throws Error where systemd can't be reached this way.
  explicit UnitBus(const std::string& socket = "/run/systemd/private");

  /// These properties of each unit, in the order of the units; a unit that does not exist has its LoadState to say so,
  /// and a property that its type has not is left out. All are asked for at once. Throws Error, after which this
  /// connection can't be used any more.
  std::vector<Properties> properties(const std::vector<std::string>& units, const std::vector<std::string>& wanted);

 private:
  struct Reply {
    std::uint32_t serial = 0;
    bool little_endian = true;
    std::string body{};
  };
  void send(std::string_view bytes);
  void receive_more();
  void log_in();
  Reply next_reply();

  Fd fd_;
  std::string buffer_{};
  std::uint32_t serial_ = 0;
};

/// "nginx.service" as the last part of its path on the bus: "nginx_2eservice".
std::string bus_label(std::string_view unit);

}  // namespace holdfast
