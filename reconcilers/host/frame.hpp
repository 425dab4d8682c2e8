#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

/// One frame of the runner protocol (docs/protocol.md): the same code reads and writes both ends.
struct Frame {
  char type = 'J';
  std::string payload{};
};

inline constexpr std::uint32_t max_frame_bytes = 4U << 20U;
inline constexpr std::size_t max_piece_bytes = 1U << 20U;

std::string encode_frame(char type, std::string_view payload);
/// A blob as its frames, one after the other.
std::string encode_blob(std::string_view digest, std::string_view bytes);

/// Cuts a byte stream into frames. Memory is bounded by one frame. Throws Error on an unknown type or a too large
/// frame.
class FrameReader {
 public:
  void add(std::string_view bytes) { buffer_.append(bytes); }
  /// True, and the frame, when a whole one is there.
  bool next(Frame& frame);
  /// Bytes are there that no frame was made of yet.
  [[nodiscard]] bool holds_bytes() const { return begin_ < buffer_.size(); }

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
};

struct BlobPiece {
  std::string_view digest;
  std::string_view bytes;
  bool last = false;
};
/// Throws Error where the payload is no piece of a blob.
BlobPiece blob_piece(std::string_view payload);

}  // namespace holdfast
