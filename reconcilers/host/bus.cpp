#include <reconcilers/host/bus.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/bus_calls.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast {

namespace {

constexpr int answer_ms = 10'000;
constexpr std::size_t max_message_bytes = 16U << 20U;
constexpr std::size_t fixed_header_bytes = 16;
constexpr std::size_t max_log_in_bytes = 4096;
constexpr std::size_t units_at_once = 64;

enum class MessageType : std::uint8_t { reply = 2, error = 3, signal = 4 };
enum class Field : std::uint8_t { end = 0, member = 3, error_name = 4, answers = 5 };

UnitBus::Properties properties_of(const std::string& body, bool little_endian, const std::vector<std::string>& wanted) {
  UnitBus::Properties properties;
  BusReader reader(body, little_endian);
  const std::uint32_t size = reader.number();
  reader.align(8);
  const std::size_t end = reader.position() + size;
  while (reader.position() < end) {
    reader.align(8);
    const std::string_view name = reader.text();
    std::string_view type = "v";
    BusValue value = reader.value(type);
    if (std::ranges::find(wanted, name) != wanted.end())
      properties.insert_or_assign(std::string(name), std::move(value));
  }
  return properties;
}

std::string system_reason() { return std::strerror(errno); }

}  // namespace

std::string bus_label(std::string_view unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string label;
  for (const char c : unit) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (c >= '0' && c <= '9' && !label.empty())) {
      label += c;
    } else {
      const auto value = static_cast<unsigned char>(c);
      label += '_';
      label += digits[value >> 4U];
      label += digits[value & 15U];
    }
  }
  return label;
}

Fd connect_to_systemd(const std::string& socket) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) throw Error("the path of systemd's socket is too long");
  std::memcpy(address.sun_path, socket.c_str(), socket.size() + 1);
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw Error("cannot connect to systemd at \"" + socket + "\": " + system_reason());
  }
  return fd;
}

UnitBus::UnitBus(const std::string& socket) : fd_(connect_to_systemd(socket)) { log_in(); }

/// The kernel tells systemd who we are: nothing has to be said but that it may look.
void UnitBus::log_in() {
  constexpr std::string_view greeting = "AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
  send(std::string(1, '\0').append(greeting));
  for (;;) {
    const std::size_t ok = buffer_.find("OK ");
    const std::size_t end = ok == std::string::npos ? ok : buffer_.find("\r\n", ok);
    if (end != std::string::npos) {
      buffer_.erase(0, end + 2);
      return;
    }
    if (buffer_.find("REJECTED") != std::string::npos || buffer_.size() > max_log_in_bytes) {
      throw Error("systemd does not accept us on its socket");
    }
    receive_more();
  }
}

void UnitBus::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) throw Error("cannot ask systemd: " + system_reason());
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void UnitBus::receive_more() {
  pollfd side{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  const int ready = ::poll(&side, 1, answer_ms);
  if (ready < 0 && errno == EINTR) return;
  if (ready <= 0) throw Error("systemd does not answer");
  std::array<char, 65536> piece{};
  const ssize_t count = ::recv(fd_.get(), piece.data(), piece.size(), 0);
  if (count < 0 && errno == EINTR) return;
  if (count <= 0) throw Error("systemd closed the connection");
  buffer_.append(piece.data(), static_cast<std::size_t>(count));
}

/// An answer to a call, or a signal.
UnitBus::Message UnitBus::next_message() {
  for (;;) {
    while (buffer_.size() < fixed_header_bytes) receive_more();
    Message message{.little_endian = buffer_[0] == 'l'};
    const auto type = static_cast<MessageType>(buffer_[1]);
    BusReader lengths(std::string_view(buffer_).substr(4, 12), message.little_endian);
    const std::size_t body_bytes = lengths.number();
    lengths.number();
    const std::size_t header_bytes = (fixed_header_bytes + lengths.number() + 7) / 8 * 8;
    if (body_bytes > max_message_bytes || header_bytes > max_message_bytes) throw Error("systemd's answer is too long");
    while (buffer_.size() < header_bytes + body_bytes) receive_more();
    BusReader header(std::string_view(buffer_).substr(0, header_bytes), message.little_endian);
    for (std::size_t i = 0; i < fixed_header_bytes; ++i) header.byte();
    std::string why;
    while (header.position() + 8 <= header_bytes) {
      header.align(8);
      const auto field = static_cast<Field>(header.byte());
      if (field == Field::end) break;
      std::string_view variant = "v";
      BusValue value = header.value(variant);
      if (field == Field::answers) message.answers = static_cast<std::uint32_t>(value.number);
      if (field == Field::member) message.member = std::move(value.text);
      if (field == Field::error_name) why = std::move(value.text);
    }
    message.body = buffer_.substr(header_bytes, body_bytes);
    buffer_.erase(0, header_bytes + body_bytes);
    if (type == MessageType::error) throw Error("systemd answers: " + why);
    message.is_signal = type == MessageType::signal;
    if (message.is_signal || type == MessageType::reply) return message;
  }
}

/// The next answer to a call; signals are passed over.
UnitBus::Message UnitBus::next_reply() {
  for (;;) {
    Message message = next_message();
    if (!message.is_signal) return message;
  }
}

void UnitBus::call_job(const std::string& signature, const std::string& member, const std::string& body) {
  send(to_message({.member = member, .signature = signature, .body = body}, ++serial_));
  const Message reply = next_reply();
  if (reply.answers != serial_) throw Error("systemd answered what was not asked");
  const std::string job(BusReader(reply.body, reply.little_endian).text());
  for (;;) {
    const Message signal = next_message();
    if (!signal.is_signal || signal.member != "JobRemoved") continue;
    BusReader reader(signal.body, signal.little_endian);
    reader.number();
    if (reader.text() != job) continue;
    const std::string unit(reader.text());
    const std::string result(reader.text());
    if (result != "done") throw Error("systemd could not do " + member + " of \"" + unit + "\": " + result);
    return;
  }
}

void UnitBus::start(const TransientUnit& unit) {
  call_job("ssa(sv)a(sa(sv))", "StartTransientUnit", transient_body(unit));
}

void UnitBus::run_job(const std::string& member, const std::string& unit) {
  BusWriter body;
  body.text(unit);
  body.text("replace");
  call_job("ss", member, body.bytes());
}

std::vector<UnitBus::Properties> UnitBus::properties(const std::vector<std::string>& units,
                                                     const std::vector<std::string>& wanted) {
  std::vector<Properties> found(units.size());
  for (std::size_t begin = 0; begin < units.size(); begin += units_at_once) {
    const std::size_t end = std::min(units.size(), begin + units_at_once);
    const std::uint32_t first = serial_ + 1;
    std::string calls;
    for (std::size_t i = begin; i < end; ++i) {
      calls += to_message(get_all_call("/org/freedesktop/systemd1/unit/" + bus_label(units[i])), ++serial_);
    }
    send(calls);
    for (std::size_t i = begin; i < end; ++i) {
      const Message reply = next_reply();
      if (reply.answers < first || reply.answers > serial_) throw Error("systemd answered what was not asked");
      found[begin + reply.answers - first] = properties_of(reply.body, reply.little_endian, wanted);
    }
  }
  return found;
}

}  // namespace holdfast
