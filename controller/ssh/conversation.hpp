#pragma once

#include <controller/ssh/runner_client.hpp>
#include <reconcilers/host/frame.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

/// What came after a request: the reply, or the host's reason why there is none.
struct Answer {
  Value reply{};
  std::string error{};
  std::map<std::string, std::string> blobs{};  // digest -> bytes, verified
};

/// One runner's input and output as requests and answers (docs/protocol.md). Everything that comes is hostile until it
/// was checked: sizes, counts, depth and digests are bounded here, texts are made printable. After an Error the
/// conversation is broken: a late answer could be taken for the next one.
class Conversation {
 public:
  explicit Conversation(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  Answer ask(const Map& request, const OnEvent& on_event, Deadline deadline);
  /// A blob, in pieces: memory is bounded by one of them.
  void send_blob(std::string_view digest, std::string_view bytes, Deadline deadline);

  /// Takes in what came unasked, without waiting. What may not come so breaks the conversation.
  void hear();
  /// Something came unasked that says that the host changed: the newest of it, once.
  std::optional<Value> take_changed() { return std::exchange(changed_, std::nullopt); }
  [[nodiscard]] int wake_fd() const { return stream_->wake_fd(); }

  [[nodiscard]] const std::optional<Hello>& hello() const { return hello_; }
  /// No further request can be made.
  [[nodiscard]] bool over() const { return broken_ || stream_->ended(); }

 private:
  struct Incoming;
  Answer receive(const OnEvent& on_event, Deadline deadline);
  Frame next_frame(Incoming& incoming, Deadline deadline);
  void take_piece(const Frame& frame, Incoming& incoming);
  bool take_message(const Frame& frame, Incoming& incoming, const OnEvent& on_event);

  std::unique_ptr<Stream> stream_;
  FrameReader frames_{};
  std::optional<Hello> hello_{};
  std::optional<Value> changed_{};
  bool broken_ = false;
};

/// Every text of a value made printable.
Value printable_value(const Value& value);

}  // namespace holdfast
