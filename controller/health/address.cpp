#include <controller/health/address.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace holdfast {

namespace {

constexpr std::uint32_t link_local_v4 = 0xA9FE0000;     // 169.254.0.0/16
constexpr std::uint32_t alibaba_metadata = 0x646464C8;  // 100.100.100.200
constexpr std::array<unsigned char, 16> amazon_metadata = {0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0,    0,
                                                           0,    0,    0,    0,    0, 0, 0x02, 0x54};
constexpr std::array<unsigned char, 12> translated = {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};  // 64:ff9b::/96

bool is_metadata(std::uint32_t address) {
  return (address & 0xFFFF0000U) == link_local_v4 || address == alibaba_metadata;
}

bool is_metadata(const in6_addr& address) {
  if (IN6_IS_ADDR_LINKLOCAL(&address) || std::memcmp(&address, amazon_metadata.data(), 16) == 0) return true;
  const bool holds_v4 = IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4COMPAT(&address) ||
                        std::memcmp(&address, translated.data(), translated.size()) == 0;
  std::uint32_t inner = 0;
  std::memcpy(&inner, &address.s6_addr[12], sizeof inner);
  return holds_v4 && is_metadata(ntohl(inner));
}

}  // namespace

std::optional<std::string> refuse_address(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  bool refused = false;
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    refused = is_metadata(ntohl(v4.sin_addr.s_addr));
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    refused = is_metadata(v6.sin6_addr);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  } else {
    return "an address that is neither IPv4 nor IPv6 is not connected to from the controller";
  }
  if (!refused) return std::nullopt;
  return "address " + std::string(text.data()) +
         " is link-local or a cloud's metadata service, which is never asked from the controller";
}

}  // namespace holdfast
