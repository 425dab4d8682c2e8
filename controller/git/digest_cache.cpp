#include <controller/git/digest_cache.hpp>

#include <controller/git/small_file.hpp>
#include <manifests/digest.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t max_cache_bytes = 64U << 20U;

}  // namespace

DigestCache::DigestCache(std::string path) : path_(std::move(path)) {
  const std::string text = read_small_file(path_, max_cache_bytes).value_or("");
  std::string_view rest = text;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const std::string_view blob = line.substr(0, space);
    const std::string_view digest = line.substr(space + 1);
    if (is_object_id(blob) && is_sha256(digest)) digests_.emplace(blob, digest);
  }
}

std::optional<std::string> DigestCache::find(const std::string& blob) const {
  const auto found = digests_.find(blob);
  return found == digests_.end() ? std::nullopt : std::optional(found->second);
}

void DigestCache::add(const std::string& blob, const std::string& digest) {
  if (digests_.emplace(blob, digest).second) unsaved_ += blob + " " + digest + "\n";
}

void DigestCache::save() {
  if (unsaved_.empty()) return;
  const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  // One write of whole lines: what two processes append does not mix, and a torn last line is passed over.
  static_cast<void>(::write(file, unsaved_.data(), unsaved_.size()));
  ::close(file);
  unsaved_.clear();
}

}  // namespace holdfast
