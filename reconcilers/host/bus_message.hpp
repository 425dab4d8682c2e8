#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

/// Puts values of D-Bus together, little-endian, each at its alignment.
class BusWriter {
 public:
  void align(std::size_t boundary);
  void byte(std::uint8_t value) { bytes_ += static_cast<char>(value); }
  void number(std::uint32_t value);
  void text(std::string_view value);       // of type s or o
  void signature(std::string_view value);  // of type g
  void long_number(std::uint64_t value);
  void flag(bool value) { number(value ? 1 : 0); }
  /// Around the elements of an array; `boundary` is their alignment. What begin_array gives belongs to its end_array.
  struct Array {
    std::size_t size_at = 0;
    std::size_t begin = 0;
  };
  Array begin_array(std::size_t boundary);
  void end_array(const Array& array);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_{};
};

/// One value as far as anybody here asks: numbers and flags as `number`, texts as `text`, bytes (ay) as hexadecimal
/// text; of anything else nothing. `type` is the first letter of its type.
struct BusValue {
  char type = '\0';
  std::uint64_t number = 0;
  std::string text{};
};
/// A text as it is, a number in decimal digits, a flag as "yes" or "no".
std::string to_text(const BusValue& value);

/// Takes values of D-Bus apart. Throws Error for what is malformed or ends too early.
class BusReader {
 public:
  BusReader(std::string_view bytes, bool little_endian) : bytes_(bytes), little_endian_(little_endian) {}

  void align(std::size_t boundary);
  std::uint8_t byte();
  std::uint32_t number();
  std::string_view text();
  std::string_view signature();
  /// A value of one complete type at the front of `types`, which is taken off it.
  BusValue value(std::string_view& types, int depth = 0);
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ >= bytes_.size(); }

 private:
  std::uint64_t fixed(std::size_t size);
  std::string_view take(std::size_t size);
  BusValue array(std::string_view& types, int depth);

  std::string_view bytes_;
  bool little_endian_;
  std::size_t at_ = 0;
};

}  // namespace holdfast
