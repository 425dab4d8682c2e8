#include <reconcilers/host/unit_signals.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/bus.hpp>
#include <reconcilers/host/bus_message.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace holdfast {

namespace {

constexpr std::size_t fixed_header_bytes = 16;
constexpr std::size_t max_message_bytes = 16U << 20U;
constexpr std::size_t max_read_bytes = 4U << 20U;

enum class Field : std::uint8_t { end = 0, path = 1, member = 3 };

}  // namespace

UnitSignals::UnitSignals(const std::string& socket) : fd_(connect_to_systemd(socket)) {
  const std::string greeting = std::string(1, '\0') + "AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
  if (::send(fd_.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(greeting.size())) {
    throw Error("systemd does not accept us on its socket");
  }
}

bool UnitSignals::read_more() {
  std::array<char, 65536> piece{};
  for (std::size_t read = 0; read < max_read_bytes;) {
    const ssize_t count = ::recv(fd_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (count <= 0) return false;
    buffer_.append(piece.data(), static_cast<std::size_t>(count));
    read += static_cast<std::size_t>(count);
  }
  return true;
}

bool UnitSignals::next(std::string& label, std::string& member) {
  if (!greeted_) {
    const std::size_t ok = buffer_.find("OK ");
    const std::size_t end = ok == std::string::npos ? ok : buffer_.find("\r\n", ok);
    if (end == std::string::npos) return false;
    buffer_.erase(0, end + 2);
    greeted_ = true;
  }
  if (buffer_.size() < fixed_header_bytes) return false;
  const bool little_endian = buffer_[0] == 'l';
  BusReader lengths(std::string_view(buffer_).substr(4, 12), little_endian);
  const std::size_t body_bytes = lengths.number();
  lengths.number();
  const std::size_t header_bytes = (fixed_header_bytes + lengths.number() + 7) / 8 * 8;
  if (body_bytes > max_message_bytes || header_bytes > max_message_bytes) throw Error("systemd's signal is too long");
  if (buffer_.size() < header_bytes + body_bytes) return false;
  BusReader header(std::string_view(buffer_).substr(0, header_bytes), little_endian);
  for (std::size_t i = 0; i < fixed_header_bytes; ++i) header.byte();
  label.clear();
  member.clear();
  while (header.position() + 8 <= header_bytes) {
    header.align(8);
    const auto field = static_cast<Field>(header.byte());
    if (field == Field::end) break;
    std::string_view variant = "v";
    BusValue value = header.value(variant);
    if (field == Field::path) label = value.text.substr(value.text.rfind('/') + 1);
    if (field == Field::member) member = std::move(value.text);
  }
  buffer_.erase(0, header_bytes + body_bytes);
  return true;
}

}  // namespace holdfast
