#include <controller/git/small_file.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace holdfast {

std::optional<std::string> read_small_file(const std::string& path, std::size_t max_bytes) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(max_bytes + 1, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad() || (bytes.empty() && !stream.eof()) || bytes.size() > max_bytes) return std::nullopt;
  return bytes;
}

}  // namespace holdfast
