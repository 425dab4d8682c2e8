// The webhook receiver over real sockets of the loopback address.
#include <controller/api/webhook_server.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

using namespace holdfast;
using namespace std::chrono_literals;

namespace {

const std::string secret = "it is a long secret of ours";

// The sanitizers keep memory that was given back, so as to find who uses it still: the address sanitizer 256 MiB of it.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEPS_FREED_MEMORY
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_FREED_MEMORY
#endif
#ifdef KEEPS_FREED_MEMORY
constexpr std::int64_t most_growth_kib = 400 * 1024;
#else
constexpr std::int64_t most_growth_kib = 16 * 1024;
#endif

class Socket {
 public:
  explicit Socket(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  [[nodiscard]] std::string rest() const {
    std::string all;
    char piece[4096];
    for (ssize_t count = ::recv(fd_, piece, sizeof piece, 0); count > 0; count = ::recv(fd_, piece, sizeof piece, 0)) {
      all.append(piece, static_cast<std::size_t>(count));
    }
    return all;
  }

 private:
  int fd_;
  bool connected_ = false;
};

struct Receiver {
  explicit Receiver(WebhookOptions options = {}) {
    options.listen = "127.0.0.1:0";
    server =
        std::make_unique<WebhookServer>(options, WebhookSecret(secret), system_clock(), [this](const Progress& one) {
          const std::scoped_lock lock(mutex);
          told.push_back(one.text);
        });
  }
  [[nodiscard]] std::string ask(const std::string& request) const {
    const Socket socket(server->port());
    socket.send(request);
    return socket.rest();
  }
  [[nodiscard]] std::size_t lines() {
    const std::scoped_lock lock(mutex);
    return told.size();
  }
  std::mutex mutex;
  std::vector<std::string> told;
  std::unique_ptr<WebhookServer> server;
};

std::string request(const std::string& headers, const std::string& body, const std::string& first = "POST /webhook") {
  return first + " HTTP/1.1\r\nHost: holdfast\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

const std::string push = R"({"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246",
"after":"0000000000000000000000000000000000000000","repository":{"full_name":"someone/else","clone_url":
"https://evil.example.com/x.git"},"pusher":{"name":"mallory"},"commits":[{"id":"1","added":["../../etc/passwd"]}]})";

std::string github(const std::string& id, const std::string& body = push, const std::string& key = secret) {
  return request(
      "User-Agent: GitHub-Hookshot/044aadd\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n"
      "X-GitHub-Delivery: " +
          id + "\r\nX-Hub-Signature-256: sha256=" + hmac_sha256(key, body) + "\r\n",
      body);
}

std::string status(const std::string& reply) { return reply.substr(0, reply.find('\r')); }

/// Sanitizers keep what was freed, so there the figure says nothing.
std::int64_t resident_kib() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#endif
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  }
  return 0;
}

std::size_t open_files() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("a genuine delivery of each provider is answered at once and asks for one poll", "[webhook]") {
  Receiver receiver;
  const std::string mac = hmac_sha256(secret, push);
  const std::vector<std::string> genuine = {
      github("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
      request("X-Gitlab-Event: Push Hook\r\nX-Gitlab-Event-UUID: 13792a34\r\nX-Gitlab-Token: " + secret + "\r\n", push),
      request("X-Gitea-Delivery: f6266f16\r\nX-Gitea-Event: push\r\nX-Gitea-Signature: " + mac +
                  "\r\nX-Gogs-Event: push\r\nX-Hub-Signature-256: sha256=" + mac + "\r\n",
              push),
      request("X-Forgejo-Delivery: a1\r\nX-Forgejo-Event: push\r\nX-Forgejo-Signature: " + mac + "\r\n", push),
      request("X-Holdfast-Signature: sha256=" + mac + "\r\n", push, "POST /webhook?from=hook")};
  for (const std::string& one : genuine) {
    CHECK_FALSE(receiver.server->take_wake());
    const auto begin = std::chrono::steady_clock::now();
    CHECK(status(receiver.ask(one)) == "HTTP/1.1 202 Accepted");
    CHECK(std::chrono::steady_clock::now() - begin < 1s);
    CHECK(receiver.server->take_wake());
  }
  CHECK(status(receiver.ask(genuine.front())) == "HTTP/1.1 200 OK");
  CHECK_FALSE(receiver.server->take_wake());
}

TEST_CASE("what is no genuine delivery wakes nobody and is told why", "[webhook]") {
  Receiver receiver;
  CHECK(status(receiver.ask(github("1", push, "another secret of someone"))) == "HTTP/1.1 401 Unauthorized");
  CHECK(status(receiver.ask(request("X-GitHub-Event: push\r\n", push))) == "HTTP/1.1 401 Unauthorized");
  const std::string wrong_method = receiver.ask(request("", "", "GET /webhook"));
  CHECK(status(wrong_method) == "HTTP/1.1 405 Method Not Allowed");
  CHECK(wrong_method.find("Allow: POST\r\n") != std::string::npos);
  CHECK(status(receiver.ask(request("", "{}", "POST /webhooks"))) == "HTTP/1.1 404 Not Found");
  CHECK(status(receiver.ask(github("2", "payload=%7B%7D"))) == "HTTP/1.1 400 Bad Request");
  CHECK(status(receiver.ask("\x16\x03\x01\x02\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status(receiver.ask(request("X-Long: " + std::string(20'000, 'x') + "\r\n", "{}"))) ==
        "HTTP/1.1 431 Request Header Fields Too Large");
  CHECK_FALSE(receiver.server->take_wake());
}

TEST_CASE("a thousand forged deliveries cost little, and are one line in the log", "[webhook]") {
  Receiver receiver;
  const std::string body = "{\"text\": \"" + std::string(100'000, 'x') + "\"}";
  (void)receiver.ask(github("0", body, "another secret of someone"));
  const std::int64_t before = resident_kib();
  for (int i = 0; i < 1000; ++i) {
    CHECK(status(receiver.ask(github(std::to_string(i), body, "another secret of someone"))) ==
          "HTTP/1.1 401 Unauthorized");
  }
  CHECK(resident_kib() - before < most_growth_kib);
  CHECK_FALSE(receiver.server->take_wake());
  CHECK(receiver.lines() == 1);
  CHECK(status(receiver.ask(github("good"))) == "HTTP/1.1 202 Accepted");
}

TEST_CASE("a body ends at one MiB, told or chunked", "[webhook]") {
  Receiver receiver;
  const std::int64_t before = resident_kib();
  const std::string signature = "X-Hub-Signature-256: sha256=" + hmac_sha256(secret, push) + "\r\n";
  SECTION("told") {
    const Socket socket(receiver.server->port());
    socket.send("POST /webhook HTTP/1.1\r\nHost: h\r\n" + signature + "Content-Length: 52428800\r\n\r\n");
    const std::string piece(1U << 20U, 'x');
    for (int i = 0; i < 50 && socket.send(piece); ++i) continue;
    CHECK(status(socket.rest()) == "HTTP/1.1 413 Payload Too Large");
  }
  SECTION("chunked") {
    const Socket socket(receiver.server->port());
    socket.send("POST /webhook HTTP/1.1\r\nHost: h\r\n" + signature + "Transfer-Encoding: chunked\r\n\r\n");
    const std::string piece = "10000\r\n" + std::string(65'536, 'x') + "\r\n";
    for (int i = 0; i < 20 && socket.send(piece); ++i) continue;
    CHECK(status(socket.rest()) == "HTTP/1.1 413 Payload Too Large");
  }
  CHECK(resident_kib() - before < most_growth_kib);
  const std::string large = "\"" + std::string((1U << 20U) - 2, 'x') + "\"";
  CHECK(status(receiver.ask(github("large", large))) == "HTTP/1.1 202 Accepted");
}

TEST_CASE("who is slow is cut off, and keeps nobody waiting", "[webhook]") {
  Receiver receiver({.header_ms = 400, .body_ms = 400});
  const Socket slow_head(receiver.server->port());
  const Socket slow_body(receiver.server->port());
  slow_head.send("POST /webhook HTTP/1.1\r\nHost: h");
  slow_body.send(github("slow").substr(0, 400));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(status(receiver.ask(github("quick"))) == "HTTP/1.1 202 Accepted");
  CHECK(std::chrono::steady_clock::now() - begin < 300ms);
  std::jthread drip([&slow_head](const std::stop_token& token) {
    while (!token.stop_requested() && slow_head.send("x")) std::this_thread::sleep_for(20ms);
  });
  CHECK(slow_head.rest().empty());
  CHECK(slow_body.rest().empty());
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
}

TEST_CASE("a thousand connections that say nothing take no place from one that does", "[webhook]") {
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  Receiver receiver;
  const std::size_t files = open_files();
  std::vector<std::unique_ptr<Socket>> silent;
  std::size_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    silent.push_back(std::make_unique<Socket>(receiver.server->port()));
    REQUIRE(silent.back()->connected());
    if (i % 100 == 99) {
      const auto begin = std::chrono::steady_clock::now();
      CHECK(status(receiver.ask(github(std::to_string(i)))) == "HTTP/1.1 202 Accepted");
      CHECK(std::chrono::steady_clock::now() - begin < 1s);
      most = std::max(most, open_files() - files - silent.size());
    }
  }
  CHECK(most <= 30);
}

TEST_CASE("a client that asks before it sends a body is told to go on", "[webhook]") {
  Receiver receiver;
  const std::string whole = github("asks");
  const std::size_t head = whole.find("\r\n\r\n");
  const Socket socket(receiver.server->port());
  socket.send(whole.substr(0, head) + "\r\nExpect: 100-continue\r\n\r\n");
  std::this_thread::sleep_for(50ms);
  socket.send(whole.substr(head + 4));
  const std::string reply = socket.rest();
  CHECK(reply.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted"));
}

TEST_CASE("the receiver ends at once, whoever is connected", "[webhook]") {
  Receiver receiver;
  const Socket silent(receiver.server->port());
  const Socket half(receiver.server->port());
  half.send(github("half").substr(0, 300));
  std::this_thread::sleep_for(50ms);
  const auto begin = std::chrono::steady_clock::now();
  receiver.server.reset();
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
}

TEST_CASE("a place to listen at is an address and a port", "[webhook]") {
  for (const char* wrong : {"", "9443", ":9443", "localhost:9443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000",
                            "127.0.0.1:x", "::1:9443", "[127.0.0.1]:1", "[]:1"}) {
    CHECK_THROWS_WITH(WebhookServer({.listen = wrong}, WebhookSecret(secret), system_clock(), {}),
                      Catch::Contains("is no IP address and port to listen at"));
  }
  const Receiver first;
  const std::string taken = "127.0.0.1:" + std::to_string(first.server->port());
  CHECK_THROWS_WITH(WebhookServer({.listen = taken}, WebhookSecret(secret), system_clock(), {}),
                    Catch::Contains("can't listen for webhooks at " + taken));
}
