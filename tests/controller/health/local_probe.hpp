#pragma once

#include <controller/health/health.hpp>

#include <functional>
#include <string>
#include <vector>

namespace holdfast {

/// A host that is this machine: dials its real sockets as `holdfast-host dial` does and runs real programs. Units are
/// what the test says, since not every machine that runs tests has systemd.
class LocalProbe : public HostProbe {
 public:
  std::unique_ptr<Stream> dial(const std::string& address, Deadline deadline) override;
  Unit unit(const std::string& name, Deadline deadline) override;
  Result run(const std::vector<std::string>& argv, const std::string& user, std::int64_t timeout_ms,
             Deadline deadline) override;

  std::function<Unit(const std::string& name)> units{};
  std::vector<std::string> dialled{};  // the addresses so far
};

}  // namespace holdfast
