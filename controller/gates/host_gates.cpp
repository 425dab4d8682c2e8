#include <controller/gates/host_gates.hpp>

#include <controller/gates/certificate.hpp>
#include <controller/gates/command_gate.hpp>
#include <controller/health/dialled.hpp>
#include <controller/health/http_client.hpp>
#include <controller/plan/times.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <sstream>

namespace holdfast {

namespace {

constexpr std::int64_t ask_ms = 10'000;
constexpr std::int64_t reply_ms = 5'000;  // beyond what the program may take
constexpr double gibibyte = 1073741824.0;

Deadline in(std::int64_t ms) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms); }

std::string decimal(double value, const char* form = "%.2f") {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), form, value);
  return text.data();
}

std::string first_words(const std::string& text) {
  constexpr std::size_t most = 200;
  return printable(text.substr(0, std::min(most, text.find('\n'))));
}

std::string command_text(const CommandGate& gate) {
  std::string text;
  for (const std::string& one : gate.argv) text += (text.empty() ? "" : " ") + one;
  return first_words(text);
}

/// What a program of the host says, where it ends well.
std::string said(HostProbe& probe, const std::vector<std::string>& argv) {
  const HostProbe::Result result = probe.run(argv, "", ask_ms, in(ask_ms + reply_ms));
  if (result.timed_out) throw Error(argv.front() + " did not end within 10 s");
  if (result.exit_code != 0) throw Error(argv.front() + ": " + first_words(result.output));
  return result.output;
}

/// A path of the host as the machine below it has it.
std::string path_on(const Host& host, const std::string& path) { return host.root == "/" ? path : host.root + path; }

GateAnswer ask_certificate(const CertificateGate& gate, const Host& host, HostProbe& probe, std::int64_t now_ms) {
  if (!gate.path.empty()) {
    return certificate_answer(gate, certificate_expires_s(said(probe, {"cat", path_on(host, gate.path)})), "", now_ms);
  }
  const std::string port = std::to_string(gate.port);
  const Dialled dialled = dial_answered(probe, "localhost:" + port, in(ask_ms));
  if (!dialled.stream) throw Error("nothing answers at its port " + port + ": " + dialled.refused);
  const HttpRequest request{.url = "https://" + gate.name + ":" + port + "/", .method = "HEAD", .verify_tls = false};
  const HttpResponse response = ask_through(request, *dialled.stream, in(ask_ms));
  return certificate_answer(gate, response.certificate_expires.value_or(0), response.failure, now_ms);
}

std::string certificate_gate_name(const CertificateGate& gate) {
  return "certificate " + (gate.path.empty() ? gate.name + ":" + std::to_string(gate.port) : gate.path);
}

/// Asks one gate; what goes wrong meanwhile keeps it closed.
template <typename Ask>
void add(std::vector<GateAnswer>& answers, const std::string& gate, Ask ask) {
  try {
    answers.push_back(ask());
  } catch (const Error& error) {
    answers.push_back({.gate = gate, .why = gate + " can't be asked: " + first_words(error.what())});
  }
}

}  // namespace

bool asks_hosts(const GatesPolicy& gates) {
  bool on_host = false;
  for (const CommandGate& one : gates.commands) on_host = on_host || one.on_host;
  return on_host || !gates.disks.empty() || !gates.loads.empty() || !gates.certificates.empty();
}

std::vector<GateAnswer> ask_host(const GatesPolicy& gates, const Host& host, HostProbe& probe, std::int64_t now_ms) {
  std::vector<GateAnswer> answers;
  for (const DiskGate& gate : gates.disks) {
    add(answers, "diskFree " + gate.path, [&] {
      return disk_answer(gate, said(probe, {"stat", "-f", "-c", "%S %b %a", "--", path_on(host, gate.path)}));
    });
  }
  for (const LoadGate& gate : gates.loads) {
    add(answers, "load", [&] {
      return load_answer(gate, said(probe, {"cat", "/proc/loadavg"}), said(probe, {"nproc"}));
    });
  }
  for (const CertificateGate& gate : gates.certificates) {
    add(answers, certificate_gate_name(gate), [&] { return ask_certificate(gate, host, probe, now_ms); });
  }
  for (const CommandGate& gate : gates.commands) {
    if (!gate.on_host) continue;
    add(answers, "command " + command_text(gate),
        [&] { return command_answer(gate, probe.run(gate.argv, "", gate.within_ms, in(gate.within_ms + reply_ms))); });
  }
  return answers;
}

GateAnswer disk_answer(const DiskGate& gate, const std::string& text) {
  GateAnswer answer{.gate = "diskFree " + gate.path, .why = gate.text + " of " + gate.path + " must be free"};
  double block = 0;
  double blocks = 0;
  double free = 0;
  std::istringstream(text) >> block >> blocks >> free;
  if (!(block > 0) || !(blocks > 0) || !(free >= 0) || free > blocks) {
    answer.why += ": the host said \"" + first_words(text) + "\"";
    return answer;
  }
  const double percent = free / blocks * 100;
  answer.open = gate.percent > 0 ? percent >= gate.percent : free * block >= static_cast<double>(gate.bytes);
  answer.found = decimal(percent, "%.1f") + "%, " + decimal(free * block / gibibyte, "%.1f") + " GiB";
  return answer;
}

GateAnswer load_answer(const LoadGate& gate, const std::string& load, const std::string& processors) {
  GateAnswer answer{.gate = "load", .why = "the load must be at most " + decimal(gate.per_processor) + " a processor"};
  double minute = -1;
  double count = 0;
  std::istringstream(load) >> minute;
  std::istringstream(processors) >> count;
  if (!(minute >= 0) || !(count >= 1)) {
    answer.why += ": the host said \"" + first_words(load) + "\" and \"" + first_words(processors) + "\"";
    return answer;
  }
  answer.open = minute <= gate.per_processor * count;
  answer.found = decimal(minute) + " on " + decimal(count, "%.0f") + (count > 1 ? " processors" : " processor");
  return answer;
}

GateAnswer certificate_answer(const CertificateGate& gate, std::int64_t expires_s, const std::string& problem,
                              std::int64_t now_ms) {
  GateAnswer answer{.gate = certificate_gate_name(gate)};
  const std::string wanted =
      answer.gate + " must be valid for " + std::to_string(gate.valid_for_ms / 86'400'000) + " d more: ";
  if (expires_s == 0) {
    answer.why = wanted + (problem.empty() ? "the host shows none" : first_words(problem));
    return answer;
  }
  answer.open = expires_s * 1000 - now_ms >= gate.valid_for_ms;
  if (!answer.open) answer.why = wanted + "it expires " + utc_text(expires_s * 1000);
  return answer;
}

GateAnswer command_answer(const CommandGate& gate, const HostProbe::Result& result) {
  const std::string name = command_text(gate);
  GateAnswer answer{
      .open = !result.timed_out && result.exit_code == gate.exit_code,
      .gate = "command " + name,
      .why = "`" + name + "` must exit " + std::to_string(gate.exit_code) + (gate.on_host ? " on the host" : "")};
  answer.found =
      result.timed_out ? "no end within " + duration_text(gate.within_ms) : "exit " + std::to_string(result.exit_code);
  const std::string words = first_words(result.output);
  if (!words.empty()) answer.found += ": " + words;
  return answer;
}

}  // namespace holdfast
