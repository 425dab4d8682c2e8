#include <reconcilers/host/downtime.hpp>

#include <charconv>
#include <ctime>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::chrono::seconds ask_deadline{10};

std::int64_t number_at(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos || (at != 0 && text[at - 1] != '\n')) return 0;
  std::int64_t number = 0;
  const char* begin = text.data() + at + name.size();
  std::from_chars(begin, text.data() + text.size(), number);
  return number;
}

}  // namespace

std::optional<std::int64_t> down_ms_of(std::string_view properties, std::int64_t begun_us) {
  const std::int64_t left = number_at(properties, "ActiveExitTimestampMonotonic=");
  const std::int64_t entered = number_at(properties, "ActiveEnterTimestampMonotonic=");
  if (left == 0 || left < begun_us || entered < left) return std::nullopt;
  return (entered - left + 999) / 1000;
}

std::optional<std::int64_t> down_ms(System& system, const std::string& unit, std::int64_t begun_us) {
  if (const auto direct =
          system.unit_properties({unit}, {"ActiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic"})) {
    std::string text;
    for (const auto& [name, value] : direct->at(0)) text += name + "=" + value + "\n";
    return down_ms_of(text, begun_us);
  }
  const Command command{.argv = {"systemctl", "show", "--property=ActiveExitTimestampMonotonic",
                                 "--property=ActiveEnterTimestampMonotonic", "--", unit},
                        .deadline = ask_deadline};
  const Output output = system.run(command);
  return output.ok() ? down_ms_of(output.out, begun_us) : std::nullopt;
}

std::int64_t monotonic_us() {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace holdfast
