#include <reconcilers/host/frame.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

namespace {
constexpr std::size_t header_bytes = 5;
constexpr std::size_t digest_chars = 64;
}  // namespace

std::string encode_frame(char type, std::string_view payload) {
  if (payload.size() > max_frame_bytes)
    throw Error("frame of " + std::to_string(payload.size()) + " bytes is too large");
  std::string frame;
  frame.reserve(header_bytes + payload.size());
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>((payload.size() >> shift) & 255U);
  frame += type;
  frame += payload;
  return frame;
}

std::string encode_blob(std::string_view digest, std::string_view bytes) {
  std::string frames;
  do {
    const std::string_view piece = bytes.substr(0, max_piece_bytes);
    bytes.remove_prefix(piece.size());
    std::string payload(digest);
    payload += bytes.empty() ? '.' : '+';
    payload += piece;
    frames += encode_frame('B', payload);
  } while (!bytes.empty());
  return frames;
}

bool FrameReader::next(Frame& frame) {
  const std::string_view rest = std::string_view(buffer_).substr(begin_);
  if (rest.size() < header_bytes) return false;
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = (length << 8U) | static_cast<unsigned char>(rest[i]);
  const char type = rest[4];
  if (type != 'J' && type != 'B') throw Error("expected a frame of the runner protocol, found other bytes");
  if (length > max_frame_bytes)
    throw Error("frame of " + std::to_string(length) + " bytes, at most " + std::to_string(max_frame_bytes) +
                " are taken");
  if (rest.size() < header_bytes + length) return false;
  frame.type = type;
  frame.payload.assign(rest.substr(header_bytes, length));
  begin_ += header_bytes + length;
  if (begin_ == buffer_.size() || begin_ > max_piece_bytes) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  return true;
}

BlobPiece blob_piece(std::string_view payload) {
  if (payload.size() < digest_chars + 1 || !is_sha256(payload.substr(0, digest_chars)) ||
      (payload[digest_chars] != '+' && payload[digest_chars] != '.') ||
      payload.size() - digest_chars - 1 > max_piece_bytes) {
    throw Error("expected a piece of a blob, found a malformed one");
  }
  return {payload.substr(0, digest_chars), payload.substr(digest_chars + 1), payload[digest_chars] == '.'};
}

}  // namespace holdfast
