#pragma once

#include <controller/gates/gates.hpp>
#include <controller/health/health.hpp>
#include <manifests/environment.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// Whether a policy has a gate that a host itself is asked for.
bool asks_hosts(const GatesPolicy& gates);

/// Disk, load, certificates and programs of one host, through the connection to it. Never throws: a gate that can't be
/// asked is not open and says why.
std::vector<GateAnswer> ask_host(const GatesPolicy& gates, const Host& host, HostProbe& probe, std::int64_t now_ms);

// What the host's programs said, judged. Pure; their words are hostile until read.

/// `text`: block size, blocks and blocks that may be used, as `stat -f -c "%S %b %a"` has them.
GateAnswer disk_answer(const DiskGate& gate, const std::string& text);
/// `load` as in /proc/loadavg, `processors` as `nproc` has it.
GateAnswer load_answer(const LoadGate& gate, const std::string& load, const std::string& processors);
/// `expires_s` since the epoch; 0 where it was not learned, and `problem` says why.
GateAnswer certificate_answer(const CertificateGate& gate, std::int64_t expires_s, const std::string& problem,
                              std::int64_t now_ms);

}  // namespace holdfast
