#include <reconcilers/host/bus_message.hpp>

#include <manifests/error.hpp>

#include <cstddef>

namespace holdfast {

namespace {

constexpr int max_depth = 32;

std::size_t alignment_of(char type) {
  switch (type) {
    case 'y':
    case 'g':
    case 'v':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'x':
    case 't':
    case 'd':
    case '(':
    case '{':
      return 8;
    default:
      return 4;
  }
}

/// Takes one complete type off the front: "a{sv}" of "a{sv}u".
std::string_view complete_type(std::string_view& types) {
  std::size_t end = 0;
  while (end < types.size() && types[end] == 'a') ++end;
  if (end == types.size()) throw Error("a message of the bus has a malformed signature");
  int open = 0;
  do {
    const char type = types[end++];
    if (type == '(' || type == '{') ++open;
    if (type == ')' || type == '}') --open;
    if (open > 0 && end == types.size()) throw Error("a message of the bus has a malformed signature");
  } while (open > 0);
  const std::string_view one = types.substr(0, end);
  types.remove_prefix(end);
  return one;
}

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text;
}

}  // namespace

void BusWriter::align(std::size_t boundary) {
  while (bytes_.size() % boundary != 0) bytes_ += '\0';
}

void BusWriter::number(std::uint32_t value) {
  align(4);
  for (unsigned shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>((value >> shift) & 255U);
}

void BusWriter::long_number(std::uint64_t value) {
  align(8);
  for (unsigned shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>((value >> shift) & 255U);
}

BusWriter::Array BusWriter::begin_array(std::size_t boundary) {
  number(0);
  const std::size_t size_at = bytes_.size() - 4;
  align(boundary);
  return {size_at, bytes_.size()};
}

void BusWriter::end_array(const Array& array) {
  const std::size_t size = bytes_.size() - array.begin;
  for (std::size_t i = 0; i < 4; ++i) bytes_[array.size_at + i] = static_cast<char>((size >> 8 * i) & 255U);
}

void BusWriter::text(std::string_view value) {
  number(static_cast<std::uint32_t>(value.size()));
  bytes_ += value;
  bytes_ += '\0';
}

void BusWriter::signature(std::string_view value) {
  byte(static_cast<std::uint8_t>(value.size()));
  bytes_ += value;
  bytes_ += '\0';
}

std::string to_text(const BusValue& value) {
  if (value.type == 'b') return value.number != 0 ? "yes" : "no";
  const bool is_text = value.type == 's' || value.type == 'o' || value.type == 'g' || value.type == 'a';
  return is_text ? value.text : std::to_string(value.number);
}

void BusReader::align(std::size_t boundary) { take((boundary - at_ % boundary) % boundary); }

std::string_view BusReader::take(std::size_t size) {
  if (size > bytes_.size() - at_) throw Error("a message of the bus ends too early");
  at_ += size;
  return bytes_.substr(at_ - size, size);
}

std::uint64_t BusReader::fixed(std::size_t size) {
  align(size);
  const std::string_view bytes = take(size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[little_endian_ ? size - 1 - i : i]);
  }
  return value;
}

std::uint8_t BusReader::byte() { return static_cast<std::uint8_t>(fixed(1)); }

std::uint32_t BusReader::number() { return static_cast<std::uint32_t>(fixed(4)); }

std::string_view BusReader::text() {
  const std::string_view bytes = take(number());
  take(1);
  return bytes;
}

std::string_view BusReader::signature() {
  const std::string_view bytes = take(byte());
  take(1);
  return bytes;
}

BusValue BusReader::array(std::string_view& types, int depth) {
  const std::string_view element = complete_type(types);
  const std::uint32_t size = number();
  align(alignment_of(element.front()));
  const std::size_t end = at_ + size;
  if (element == "y") return {.type = 'a', .text = hexadecimal(take(size))};
  if (size > bytes_.size() - at_) throw Error("a message of the bus ends too early");
  while (at_ < end) {
    std::string_view one = element;
    value(one, depth + 1);
  }
  return {};
}

BusValue BusReader::value(std::string_view& types, int depth) {
  if (types.empty() || depth > max_depth) throw Error("a message of the bus has a malformed signature");
  const char type = types.front();
  types.remove_prefix(1);
  switch (type) {
    case 's':
    case 'o':
      return {.type = type, .text = std::string(text())};
    case 'g':
      return {.type = type, .text = std::string(signature())};
    case 'y':
      return {.type = type, .number = byte()};
    case 'n':
    case 'q':
      return {.type = type, .number = fixed(2)};
    case 'b':
    case 'u':
    case 'i':
    case 'h':
      return {.type = type, .number = number()};
    case 'x':
    case 't':
    case 'd':
      return {.type = type, .number = fixed(8)};
    case 'a':
      return array(types, depth);
    case 'v': {
      std::string_view inner = signature();
      return value(inner, depth + 1);
    }
    case '(':
    case '{': {
      align(8);
      const char last = type == '(' ? ')' : '}';
      while (!types.empty() && types.front() != last) value(types, depth + 1);
      if (types.empty()) throw Error("a message of the bus has a malformed signature");
      types.remove_prefix(1);
      return {};
    }
    default:
      throw Error("a message of the bus has a malformed signature");
  }
}

}  // namespace holdfast
