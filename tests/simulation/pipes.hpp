#pragma once

#include "machine.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace holdfast::simulation {

/// One direction of a connection: bytes with the time at which they arrive. Held by both ends.
struct Pipe {
  std::deque<std::pair<Time, std::string>> data{};
  bool closed = false;  // by who writes; what was written still arrives
  bool reader_gone = false;
  Time last_arrival = 0;
  std::function<bool()> open = [] { return true; };  // false while the network loses everything
  bool broken = false;                               // and nothing will come any more

  std::function<void(std::string_view)> tap{};  // sees what is written

  [[nodiscard]] bool has_data(Time now) const { return open() && !data.empty() && data.front().first <= now; }
  [[nodiscard]] bool at_end(Time now) const {
    return broken || (open() && closed && data.empty() && last_arrival <= now);
  }
  [[nodiscard]] bool hung_up() const { return broken || (open() && closed); }
  void push(std::string bytes, Time arrives);
  std::string pull(std::size_t most);
};

/// Descriptors that are ends of pipes, for code that reads and writes descriptors. Numbers that no real one has.
int add_reader(std::shared_ptr<Pipe> pipe);
int add_writer(std::shared_ptr<Pipe> pipe, std::function<Time()> latency);
void forget_descriptors();

}  // namespace holdfast::simulation
