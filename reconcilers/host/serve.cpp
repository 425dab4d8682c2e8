#include <reconcilers/host/serve.hpp>

#include <reconcilers/host/confirm.hpp>
#include <reconcilers/host/requests.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace holdfast {

namespace {

constexpr JsonLimits message_limits{.bytes = max_frame_bytes, .depth = 32};

using Handler = Value (Requests::*)(const Value&);

const std::map<std::string, Handler, std::less<>>& handlers() {
  static const std::map<std::string, Handler, std::less<>> table = {{"plan", &Requests::plan},
                                                                    {"apply", &Requests::apply},
                                                                    {"attach", &Requests::attach},
                                                                    {"confirm", &Requests::confirm},
                                                                    {"rollback", &Requests::rollback},
                                                                    {"units", &Requests::units},
                                                                    {"run", &Requests::run},
                                                                    {"journal", &Requests::journal},
                                                                    {"status", &Requests::status},
                                                                    {"backups", &Requests::backups},
                                                                    {"backup_run", &Requests::backup_run},
                                                                    {"backup_verify", &Requests::backup_verify},
                                                                    {"watch", &Requests::watch},
                                                                    {"traces", &Requests::traces}};
  return table;
}

Value answer(Requests& requests, const Value& request) {
  const std::string what = request.text_or("do", "");
  const auto handler = handlers().find(what);
  if (handler == handlers().end()) return Map{{"error", "there is no request \"" + what.substr(0, 40) + "\""}};
  // systemd holds what is not listened to: nobody keeps it waiting through a long request.
  if (requests.watching() != nullptr && what != "plan" && what != "status") requests.watching()->pause();
  try {
    return Map{{"reply", (requests.*handler->second)(request)}};
  } catch (const Error& error) {
    return Map{{"error", error.what()}};
  }
}

void take_piece(const State& state, std::optional<IncomingBlob>& blob, const std::string& payload) {
  const BlobPiece piece = blob_piece(payload);
  if (!blob) blob.emplace(state, std::string(piece.digest));
  if (blob->digest() != piece.digest) throw Error("expected the rest of a blob, found a piece of another one");
  blob->add(piece.bytes);
  if (!piece.last) return;
  blob->finish();
  blob.reset();
}

std::int64_t monotonic_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Between two requests: tells what is noticed, never in the middle of an answer. A host where things happen all the
/// time is listened to twenty times a second at most.
void wait_for_request(Requests& requests, Channel& channel) {
  constexpr int calm_ms = 50;
  while (HostWatch* watch = requests.watching()) {
    std::optional<Value> news;
    try {
      news = watch->take(monotonic_ms());
    } catch (const Error& error) {
      requests.stop_watching();
      channel.send(Map{{"changed", Map{{"why", error.what()}, {"ids", List()}, {"more", 0}}}});
      return;
    }
    if (news) channel.send(Map{{"changed", std::move(*news)}});
    if (channel.wait({}, calm_ms)) return;
    if (channel.wait(watch->descriptors(), watch->patience_ms(monotonic_ms()))) return;
  }
}

}  // namespace

void serve(System& system, int input, int output) {
  const State state(system.root());
  Channel channel(input, output);
  Requests requests(system, state, channel);
  settle_confirmed(system, state);
  channel.send(Map{{"hello", requests.hello()}});
  std::optional<IncomingBlob> blob;
  for (;;) {
    wait_for_request(requests, channel);
    const std::optional<Frame> frame = channel.receive();
    if (!frame) return;
    if (frame->type == 'B') {
      take_piece(state, blob, frame->payload);
      continue;
    }
    const Value request = from_json(frame->payload, message_limits);
    if (!request.is_map()) throw Error("expected a request, found another JSON value");
    channel.send(answer(requests, request));
  }
}

}  // namespace holdfast
