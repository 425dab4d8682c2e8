#include <controller/rollout/clock.hpp>

#include <chrono>
#include <cstdio>
#include <random>
#include <thread>

namespace holdfast {

Clock system_clock() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return {.wall_ms =
              [] {
                const auto now = std::chrono::system_clock::now().time_since_epoch();
                return static_cast<std::int64_t>(duration_cast<milliseconds>(now).count());
              },
          .monotonic_ms =
              [] {
                const auto now = std::chrono::steady_clock::now().time_since_epoch();
                return static_cast<std::int64_t>(duration_cast<milliseconds>(now).count());
              },
          .sleep_ms = [](std::int64_t ms) { std::this_thread::sleep_for(milliseconds(ms)); },
          .random_hex =
              [] {
                std::random_device device;
                char text[9];
                std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(device()));
                return std::string(text);
              }};
}

}  // namespace holdfast
