#pragma once

#include <reconcilers/host/frame.hpp>

#include <manifests/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// One end of the runner protocol over two descriptors: whole frames in, whole messages out.
class Channel {
 public:
  Channel(int input, int output) : input_(input), output_(output) {}

  /// Waits for the next frame; nullopt at the end of the input. Throws Error on bytes that are no frame.
  std::optional<Frame> receive();
  /// Throws Error where the other side is gone, or where the message does not fit into a frame.
  void send(const Value& message);
  void send_blob(std::string_view digest, std::string_view bytes);
  /// Waits a little; false once the other side has closed its end.
  [[nodiscard]] bool pause(int ms) const;
  /// Waits until there is input or its end (true), or until one of `others` can be read or the time is over (false);
  /// -1: for ever.
  [[nodiscard]] bool wait(const std::vector<int>& others, int ms) const;

 private:
  void write(std::string_view bytes) const;

  int input_;
  int output_;
  FrameReader reader_;
};

}  // namespace holdfast
