#include <controller/api/webhook_server.hpp>

#include <controller/api/delivery_gate.hpp>
#include <controller/api/webhook_request.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <optional>
#include <thread>

namespace holdfast {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using Status = http::status;
using Error_code = beast::error_code;

constexpr std::size_t most_connections = 24;
constexpr std::size_t most_header_bytes = 16U << 10U;
constexpr std::size_t most_body_bytes = 1U << 20U;
constexpr std::int64_t forged_again_ms = 60'000;        // between two lines of the log about forged deliveries
constexpr std::chrono::milliseconds accept_pause{100};  // out of files: others need some time to give theirs back

std::string lower_case(beast::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::optional<tcp::endpoint> endpoint_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string address = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const int number = std::stoi(port);
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  Error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error || number > 65'535 || parsed.is_v6() != bracketed) return std::nullopt;
  return tcp::endpoint(parsed, static_cast<std::uint16_t>(number));
}

/// What all connections share; used in the server's thread only, but for the gate.
struct Receiver {
  WebhookOptions options{};
  WebhookSecret secret;
  Clock clock{};
  OnProgress on_progress{};
  DeliveryGate gate{};
  std::int64_t forged_told_ms = -forged_again_ms;
  std::uint64_t forged = 0;

  void tell_forged(const std::string& source) {
    ++forged;
    const std::int64_t now = clock.monotonic_ms();
    if (now - forged_told_ms < forged_again_ms || !on_progress) return;
    forged_told_ms = now;
    on_progress({Progress::Level::warning, "", "",
                 "webhook: refused " + std::to_string(forged) + " without a right signature, the last from " + source});
    forged = 0;
  }
};

struct Reply {
  Status status = Status::accepted;
  std::string text{};
};

/// One connection: one request, one reply.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::string source, Receiver& receiver)
      : stream_(std::move(socket)), source_(std::move(source)), receiver_(receiver), buffer_(most_header_bytes) {
    parser_.header_limit(most_header_bytes);
    parser_.body_limit(most_body_bytes);
  }

  void start() {
    stream_.expires_after(std::chrono::milliseconds(receiver_.options.header_ms));
    http::async_read_header(stream_, buffer_, parser_,
                            [self = shared_from_this()](Error_code error, std::size_t) { self->on_header(error); });
  }
  void end() {
    Error_code ignored;
    stream_.socket().close(ignored);
    stream_.cancel();
  }

 private:
  void on_header(Error_code error) {
    if (error) return refuse(error);
    const auto& request = parser_.get();
    const beast::string_view target = request.target();
    if (target.substr(0, target.find('?')) != receiver_.options.path) return reply({Status::not_found, "no such path"});
    if (request.method() != http::verb::post) return reply({Status::method_not_allowed, "webhooks are sent by POST"});
    for (const auto& field : request) delivery_.headers.emplace(lower_case(field.name_string()), field.value());
    if (!is_signed(delivery_)) return reply(forged());
    if (lower_case(request[http::field::expect]) == "100-continue") return go_on();
    read_body();
  }

  void go_on() {
    static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(text), [self = shared_from_this()](Error_code error, std::size_t) {
      if (!error) self->read_body();
    });
  }

  void read_body() {
    stream_.expires_after(std::chrono::milliseconds(receiver_.options.body_ms));
    http::async_read(stream_, buffer_, parser_, [self = shared_from_this()](Error_code error, std::size_t) {
      if (error) return self->refuse(error);
      self->delivery_.body = std::move(self->parser_.get().body());
      self->reply(self->answer());
    });
  }

  Reply answer() {
    const std::int64_t now_s = receiver_.clock.wall_ms() / 1000;
    switch (judge(delivery_, receiver_.secret, now_s)) {
      case RequestVerdict::forged:
        return forged();
      case RequestVerdict::malformed:
        return {Status::bad_request, "the body is no JSON: choose the content type application/json"};
      case RequestVerdict::genuine:
        break;
    }
    if (is_of_own_branch(delivery_)) return {Status::ok, "a branch of holdfast's own: nothing there is followed"};
    switch (receiver_.gate.pass(name_of(delivery_), source_, receiver_.clock.monotonic_ms())) {
      case DeliveryGate::Answer::repeated:
        return {Status::ok, "received before"};
      case DeliveryGate::Answer::later:
        return {Status::accepted, "the repository is polled soon: deliveries come faster than 30 a minute"};
      case DeliveryGate::Answer::woken:
        break;
    }
    return {Status::accepted, "the repository is polled now"};
  }

  Reply forged() {
    receiver_.tell_forged(source_);
    return {Status::unauthorized, "no right signature"};
  }

  void refuse(Error_code error) {
    if (error == http::error::body_limit) return reply({Status::payload_too_large, "a body has at most 1 MiB"});
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return reply({Status::request_header_fields_too_large, "a head has at most 16 KiB"});
    }
    if (error.category() == http::make_error_code(http::error::end_of_stream).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return reply({Status::bad_request, "no HTTP request"});
    }
    end();
  }

  void reply(const Reply& reply) {
    response_.result(reply.status);
    response_.version(11);
    response_.keep_alive(false);
    response_.set(http::field::content_type, "text/plain; charset=utf-8");
    response_.set(http::field::cache_control, "no-store");
    if (reply.status == Status::method_not_allowed) response_.set(http::field::allow, "POST");
    response_.body() = reply.text + "\n";
    response_.prepare_payload();
    stream_.expires_after(std::chrono::milliseconds(receiver_.options.linger_ms));
    http::async_write(stream_, response_, [self = shared_from_this()](Error_code error, std::size_t) {
      Error_code failed = error;
      if (!failed) self->stream_.socket().shutdown(tcp::socket::shutdown_send, failed);
      if (failed) return self->end();
      self->linger();
    });
  }

  /// A client that still sends would not see the reply if we closed under it.
  void linger() {
    stream_.async_read_some(asio::buffer(scrap_), [self = shared_from_this()](Error_code error, std::size_t) {
      if (error) return self->end();
      self->linger();
    });
  }

  beast::tcp_stream stream_;
  std::string source_;
  Receiver& receiver_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_{};
  http::response<http::string_body> response_{};
  WebhookRequest delivery_{};
  std::array<char, 16U << 10U> scrap_{};
};

}  // namespace

struct WebhookServer::Parts {
  Parts(WebhookOptions options, WebhookSecret secret, Clock clock, OnProgress on_progress)
      : receiver{.options = std::move(options),
                 .secret = std::move(secret),
                 .clock = std::move(clock),
                 .on_progress = std::move(on_progress)} {}

  void listen() {
    const auto place = endpoint_of(receiver.options.listen);
    if (!place) throw Error("\"" + printable(receiver.options.listen) + "\" is no IP address and port to listen at");
    try {
      acceptor.open(place->protocol());
      acceptor.set_option(tcp::acceptor::reuse_address(true));
      acceptor.bind(*place);
      acceptor.listen();
      port = acceptor.local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      throw Error("can't listen for webhooks at " + receiver.options.listen + ": " + error.code().message());
    }
  }

  void accept() {
    acceptor.async_accept([this](Error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later();
      Error_code failed;
      const auto peer = socket.remote_endpoint(failed);
      if (!failed) take(std::move(socket), peer.address().to_string());
      accept();
    });
  }

  void accept_later() {
    pause.expires_after(accept_pause);
    pause.async_wait([this](Error_code error) {
      if (!error) accept();
    });
  }

  void take(tcp::socket socket, std::string source) {
    std::erase_if(connections, [](const auto& one) { return one.expired(); });
    if (connections.size() >= most_connections) {
      if (const auto oldest = connections.front().lock()) oldest->end();
      connections.pop_front();
    }
    auto connection = std::make_shared<Connection>(std::move(socket), std::move(source), receiver);
    connections.push_back(connection);
    connection->start();
  }

  void stop() {
    Error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
    for (const auto& one : connections) {
      if (const auto connection = one.lock()) connection->end();
    }
  }

  std::uint16_t port = 0;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer pause{context};
  Receiver receiver;
  std::list<std::weak_ptr<Connection>> connections{};  // oldest first
  std::jthread thread{};                               // last: it uses all of the above
};

WebhookServer::WebhookServer(WebhookOptions options, WebhookSecret secret, Clock clock, OnProgress on_progress)
    : parts_(std::make_unique<Parts>(std::move(options), std::move(secret), std::move(clock), std::move(on_progress))) {
  parts_->listen();
  parts_->accept();
  parts_->thread = std::jthread([parts = parts_.get()] { parts->context.run(); });
}

WebhookServer::~WebhookServer() {
  asio::post(parts_->context, [parts = parts_.get()] { parts->stop(); });
  parts_->thread.join();
}

bool WebhookServer::take_wake() { return parts_->receiver.gate.take(parts_->receiver.clock.monotonic_ms()); }

std::uint16_t WebhookServer::port() const { return parts_->port; }

}  // namespace holdfast
