#pragma once

#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <string>

namespace holdfast {

/// A call to systemd, as it is put on the bus.
struct BusCall {
  std::string path = "/org/freedesktop/systemd1";
  std::string interface = "org.freedesktop.systemd1.Manager";
  std::string member{};
  std::string signature{};
  std::string body{};
};
std::string to_message(const BusCall& call, std::uint32_t serial);

/// All properties of what stands at a path.
BusCall get_all_call(const std::string& path);
/// The body of StartTransientUnit, as systemd-run would send it.
std::string transient_body(const TransientUnit& unit);

}  // namespace holdfast
