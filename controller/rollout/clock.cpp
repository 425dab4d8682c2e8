#include <controller/rollout/clock.hpp>

#include <controller/store/random_id.hpp>

#include <chrono>
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
          .random_hex = [] { return random_id(8); }};
}

}  // namespace holdfast
