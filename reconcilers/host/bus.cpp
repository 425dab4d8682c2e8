#include <reconcilers/host/bus.hpp>

#include <manifests/error.hpp>

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

enum class MessageType : std::uint8_t { call = 1, reply = 2, error = 3 };
enum class Field : std::uint8_t {
  path = 1,
  interface = 2,
  member = 3,
  reply_serial = 5,
  destination = 6,
  signature = 8
};

void text_field(BusWriter& header, Field field, std::string_view type, std::string_view text) {
  header.align(8);
  header.byte(static_cast<std::uint8_t>(field));
  header.signature(type);
  if (type == "g") {
    header.signature(text);
  } else {
    header.text(text);
  }
}

/// A call of Properties.GetAll, for the properties of all interfaces.
std::string get_all(std::uint32_t serial, const std::string& path) {
  BusWriter fields;
  text_field(fields, Field::path, "o", path);
  text_field(fields, Field::interface, "s", "org.freedesktop.DBus.Properties");
  text_field(fields, Field::member, "s", "GetAll");
  text_field(fields, Field::destination, "s", "org.freedesktop.systemd1");
  text_field(fields, Field::signature, "g", "s");
  BusWriter body;
  body.text("");
  BusWriter message;
  message.byte('l');
  message.byte(static_cast<std::uint8_t>(MessageType::call));
  message.byte(0);
  message.byte(1);
  message.number(static_cast<std::uint32_t>(body.bytes().size()));
  message.number(serial);
  message.number(static_cast<std::uint32_t>(fields.bytes().size()));
  std::string bytes = message.bytes() + fields.bytes();
  bytes.resize((bytes.size() + 7) / 8 * 8);
  return bytes + body.bytes();
}

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

UnitBus::UnitBus(const std::string& socket) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) throw Error("the path of systemd's socket is too long");
  std::memcpy(address.sun_path, socket.c_str(), socket.size() + 1);
  if (!fd_ || ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw Error("cannot connect to systemd at \"" + socket + "\": " + system_reason());
  }
  log_in();
}

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

/// The next answer to a call; signals are passed over.
UnitBus::Reply UnitBus::next_reply() {
  for (;;) {
    while (buffer_.size() < fixed_header_bytes) receive_more();
    Reply reply{.little_endian = buffer_[0] == 'l'};
    const auto type = static_cast<MessageType>(buffer_[1]);
    BusReader lengths(std::string_view(buffer_).substr(4, 12), reply.little_endian);
    const std::size_t body_bytes = lengths.number();
    lengths.number();
    const std::size_t header_bytes = (fixed_header_bytes + lengths.number() + 7) / 8 * 8;
    if (body_bytes > max_message_bytes || header_bytes > max_message_bytes) throw Error("systemd's answer is too long");
    while (buffer_.size() < header_bytes + body_bytes) receive_more();
    BusReader header(std::string_view(buffer_).substr(0, header_bytes), reply.little_endian);
    for (std::size_t i = 0; i < fixed_header_bytes; ++i) header.byte();
    std::string why;
    while (header.position() + 8 <= header_bytes) {
      header.align(8);
      const auto field = static_cast<Field>(header.byte());
      std::string_view variant = "v";
      if (field == static_cast<Field>(0)) break;
      const BusValue value = header.value(variant);
      if (field == Field::reply_serial) reply.serial = static_cast<std::uint32_t>(value.number);
      if (field == static_cast<Field>(4)) why = value.text;
    }
    reply.body = buffer_.substr(header_bytes, body_bytes);
    buffer_.erase(0, header_bytes + body_bytes);
    if (type == MessageType::error) throw Error("systemd answers: " + why);
    if (type == MessageType::reply) return reply;
  }
}

std::vector<UnitBus::Properties> UnitBus::properties(const std::vector<std::string>& units,
                                                     const std::vector<std::string>& wanted) {
  std::vector<Properties> found(units.size());
  for (std::size_t begin = 0; begin < units.size(); begin += units_at_once) {
    const std::size_t end = std::min(units.size(), begin + units_at_once);
    const std::uint32_t first = serial_ + 1;
    std::string calls;
    for (std::size_t i = begin; i < end; ++i) {
      calls += get_all(++serial_, "/org/freedesktop/systemd1/unit/" + bus_label(units[i]));
    }
    send(calls);
    for (std::size_t i = begin; i < end; ++i) {
      const Reply reply = next_reply();
      if (reply.serial < first || reply.serial > serial_) throw Error("systemd answered what was not asked");
      found[begin + reply.serial - first] = properties_of(reply.body, reply.little_endian, wanted);
    }
  }
  return found;
}

}  // namespace holdfast
