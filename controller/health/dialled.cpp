#include <controller/health/dialled.hpp>

#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <string_view>

namespace holdfast {

namespace {

/// The rest of a line, at most 200 bytes: a host may say anything.
std::string read_line(Stream& stream, Deadline deadline) {
  std::string line;
  while (line.size() < 200) {
    const std::string byte = stream.read(1, deadline);
    if (byte.empty() || byte == "\n") break;
    line += byte;
  }
  return line;
}

Dialled read_answer(std::unique_ptr<Stream> stream, Deadline deadline) {
  const std::string answer = stream->read(1, deadline);
  if (answer == "+") return {.stream = std::move(stream)};
  if (answer == "-") return {.refused = printable(read_line(*stream, deadline))};
  const std::string said = stream->errors();
  return {.refused = said.empty() ? "the host did not say whether it connected" : printable(said)};
}

Dialled dial_one(HostProbe& probe, const std::string& address, Deadline deadline) {
  std::unique_ptr<Stream> stream = probe.dial(address, deadline);
  try {
    return read_answer(std::move(stream), deadline);
  } catch (const Error&) {
    if (std::chrono::steady_clock::now() < deadline) throw;
    return {.refused = "not connected in time", .timed_out = true};
  }
}

}  // namespace

Dialled dial_answered(HostProbe& probe, const std::string& address, Deadline deadline) {
  constexpr std::string_view localhost = "localhost:";
  if (!address.starts_with(localhost)) return dial_one(probe, address, deadline);
  const std::string port = address.substr(localhost.size());
  Dialled dialled = dial_one(probe, "127.0.0.1:" + port, deadline);
  if (dialled.stream || dialled.timed_out) return dialled;
  return dial_one(probe, "[::1]:" + port, deadline);
}

}  // namespace holdfast
