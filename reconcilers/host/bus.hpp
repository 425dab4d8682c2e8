#pragma once

#include <reconcilers/host/bus_message.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// A connection to systemd's own socket, with nothing said yet. Throws Error where it can't be had.
Fd connect_to_systemd(const std::string& socket);

/// systemd asked directly, over the socket that systemctl itself uses as root: no process is started. Not to be kept:
/// systemd tells everybody who is connected of everything that happens, and holds it for who does not listen. After an
/// Error it can't be used any more. Used by one thread at a time.
class UnitBus {
 public:
  using Properties = std::map<std::string, BusValue, std::less<>>;

  /// Throws Error where systemd can't be reached this way.
  explicit UnitBus(const std::string& socket = "/run/systemd/private");

  /// These properties of each unit, in the order of the units; a unit that does not exist has its LoadState to say so,
  /// and a property that its type has not is left out. All are asked for at once.
  std::vector<Properties> properties(const std::vector<std::string>& units, const std::vector<std::string>& wanted);
  /// Starts a service, or the timer that starts it later, and waits until systemd has done so.
  void start(const TransientUnit& unit);
  /// What systemctl does by the same word: "ReloadUnit", "StopUnit". Waits for its end.
  void run_job(const std::string& member, const std::string& unit);

 private:
  struct Message {
    std::uint32_t answers = 0;  // the serial of the call
    bool little_endian = true;
    bool is_signal = false;
    std::string member{};  // of a signal
    std::string body{};
  };
  void send(std::string_view bytes);
  void receive_more();
  void log_in();
  Message next_message();
  Message next_reply();
  /// A call that answers with a job, and the job's end.
  void call_job(const std::string& signature, const std::string& member, const std::string& body);

  Fd fd_;
  std::string buffer_{};
  std::uint32_t serial_ = 0;
};

/// "nginx.service" as the last part of its path on the bus: "nginx_2eservice".
std::string bus_label(std::string_view unit);

}  // namespace holdfast
