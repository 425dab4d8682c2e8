#include "network.hpp"

#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast::simulation {

namespace {

/// The code under test counts in the clock that it sees; the machine in its own.
Time from_deadline(Deadline deadline) {
  const auto left = deadline - Deadline::clock::now();
  if (left > std::chrono::hours(1000)) return never;
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  return machine()->now() + std::max<std::int64_t>(0, nanoseconds);
}

class SimulatedStream : public Stream {
 public:
  SimulatedStream(Host& host, std::shared_ptr<Link> link) : host_(host), link_(std::move(link)) {
    machine()->running()->at_end.emplace_back([held = std::weak_ptr<Link>(link_)] {
      if (const auto still = held.lock()) close(*still);
    });
  }
  ~SimulatedStream() override { close(*link_); }
  SimulatedStream(const SimulatedStream&) = delete;
  SimulatedStream& operator=(const SimulatedStream&) = delete;

  void write(std::string_view bytes, Deadline) override {
    machine()->point("send to " + host_.name);
    require_open();
    link_->down->push(std::string(bytes), machine()->now() + host_.latency());
  }

  std::string read(std::size_t max, Deadline deadline) override {
    Machine& here = *machine();
    here.point("receive from " + host_.name);
    Pipe& pipe = *link_->up;
    const bool in_time =
        here.wait([&] { return pipe.has_data(here.now()) || pipe.at_end(here.now()); }, from_deadline(deadline));
    if (pipe.has_data(here.now())) return pipe.pull(max);
    require_open();
    if (!in_time) throw Error("timed out waiting for \"" + host_.name + "\"");
    return {};
  }

  void close_input() override {
    link_->down->closed = true;
    machine()->alarm(machine()->now());
  }
  [[nodiscard]] bool ended() const override { return link_->up->broken || link_->up->at_end(machine()->now()); }
  [[nodiscard]] std::string errors() const override { return {}; }

 private:
  static void close(Link& link) {
    link.down->closed = true;
    link.up->reader_gone = true;
    if (machine() != nullptr) machine()->alarm(machine()->now());
  }
  void require_open() const {
    if (link_->up->broken) throw Error("the connection to \"" + host_.name + "\" was lost");
  }

  Host& host_;
  std::shared_ptr<Link> link_;
};

class SimulatedConnection : public Connection {
 public:
  explicit SimulatedConnection(Host& host) : host_(host) {}

  std::unique_ptr<Stream> start_runner(const std::vector<std::string>& arguments, Deadline deadline) override {
    if (arguments.at(0) != "serve") throw Error("there is no model of \"" + arguments.at(0) + "\"");
    reach(deadline);
    link_ = host_.start_serve();
    return std::make_unique<SimulatedStream>(host_, link_);
  }
  [[nodiscard]] bool alive() const override { return !link_ || !link_->up->broken; }

  /// A round trip or two; a host that does not answer is waited for until the deadline.
  void reach(Deadline deadline) {
    Machine& here = *machine();
    here.point("reach " + host_.name);
    here.sleep(2 * host_.latency());
    const Time until = from_deadline(deadline);
    if (here.wait([this] { return host_.is_reachable(); }, until)) return;
    throw Error("timed out connecting to \"" + host_.name + "\"");
  }

 private:
  Host& host_;
  std::shared_ptr<Link> link_{};
};

}  // namespace

std::unique_ptr<Connection> connect_to(Host& host, Deadline deadline) {
  auto connection = std::make_unique<SimulatedConnection>(host);
  connection->reach(deadline);
  return connection;
}

}  // namespace holdfast::simulation
