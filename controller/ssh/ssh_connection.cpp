#include <controller/ssh/ssh_connection.hpp>

#include <controller/ssh/jump.hpp>
#include <controller/ssh/runner_stream.hpp>
#include <controller/ssh/socket.hpp>
#include <manifests/error.hpp>

#include <utility>

namespace holdfast {

namespace {

/// A session and the jumps that it goes through; the session ends first.
struct Way {
  std::vector<std::unique_ptr<Jump>> jumps{};
  std::unique_ptr<SshSession> session{};
};

Fd socket_to(Way& way, const SshTarget& target, Deadline deadline) {
  if (way.session == nullptr) return connect_tcp(target.address, target.port, deadline);
  way.jumps.push_back(std::make_unique<Jump>(std::shared_ptr<SshSession>(std::move(way.session)), target, deadline));
  return way.jumps.back()->take_socket();
}

/// Streams hold the session, and with it the jumps: they may outlive the connection.
std::shared_ptr<SshSession> open_way(const Host& host, const ConnectOptions& options, Deadline deadline) {
  auto way = std::make_shared<Way>();
  for (const SshTarget& target : ssh_route(host)) {
    while_doing("connecting to " + to_text(target), [&] {
      Fd socket = socket_to(*way, target, deadline);
      way->session = std::make_unique<SshSession>(target, options, std::move(socket), deadline);
    });
  }
  SshSession* session = way->session.get();
  return {std::move(way), session};
}

class SshConnection : public Connection {
 public:
  SshConnection(const Host& host, const ConnectOptions& options, Deadline deadline)
      : program_(runner_program(options.runner)), root_(host.root), session_(open_way(host, options, deadline)) {}

  std::unique_ptr<Stream> start_runner(const std::vector<std::string>& arguments, Deadline deadline) override {
    std::vector<std::string> all = arguments;
    if (root_ != "/" && !all.empty() && all.front() == "serve") all.insert(all.end(), {"--root", root_});
    return std::make_unique<RunnerStream>(session_, program_, verified_, std::move(all), deadline);
  }

  [[nodiscard]] bool alive() const override { return session_->alive(); }

 private:
  std::shared_ptr<const RunnerProgram> program_;
  std::string root_;
  std::shared_ptr<SshSession> session_;
  std::shared_ptr<bool> verified_ = std::make_shared<bool>(false);
};

}  // namespace

std::unique_ptr<Connection> connect_ssh(const Host& host, const ConnectOptions& options, Deadline deadline) {
  return std::make_unique<SshConnection>(host, options, deadline);
}

std::unique_ptr<Connection> connect(const Host& host, const ConnectOptions& options, Deadline deadline) {
  if (host.connection == "local") return connect_local(host, options);
  if (host.connection == "ssh") return connect_ssh(host, options, deadline);
  throw Error("expected connection \"ssh\" or \"local\" of host \"" + host.name + "\", found \"" + host.connection +
              "\"");
}

}  // namespace holdfast
