#pragma once

#include <controller/api/webhook_secret.hpp>
#include <controller/rollout/clock.hpp>
#include <controller/rollout/progress.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace holdfast {

struct WebhookOptions {
  std::string listen{};  // "127.0.0.1:9443", "[::1]:9443"; port 0: one that is free
  std::string path = "/webhook";
  std::int64_t header_ms = 10'000;  // for the request's head
  std::int64_t body_ms = 10'000;    // for its body
  std::int64_t linger_ms = 1'000;   // for the client to read a refusal
};

/// Receives webhooks in a thread of its own: a genuine delivery asks for a poll, and that is all it does. Whatever
/// comes in costs bounded time and memory: a body ends at 1 MiB, a head at 16 KiB, and of more than 24 connections the
/// oldest gives way. Plain HTTP: what the world can reach has a TLS proxy before it.
class WebhookServer {
 public:
  /// Listens at once; throws Error where it can't. The clock's times are read in the thread.
  WebhookServer(WebhookOptions options, WebhookSecret secret, Clock clock, OnProgress on_progress);
  /// Ends within a moment, whoever is connected.
  ~WebhookServer();
  WebhookServer(const WebhookServer&) = delete;
  WebhookServer& operator=(const WebhookServer&) = delete;

  /// True when a poll is asked for, once for all deliveries since the last time. From any thread.
  bool take_wake();
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
