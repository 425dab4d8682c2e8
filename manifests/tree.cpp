#include <manifests/tree.hpp>

#include <manifests/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace holdfast {

namespace {

constexpr std::size_t most_entries = 1'000'000;
constexpr int deepest = 64;

bool is_inside(std::string_view path, std::string_view folder) {
  if (folder.empty()) return true;
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// Relative, with no empty, "." or ".." segment: everything else could leave the tree.
bool is_tree_path(std::string_view path) {
  if (path.empty()) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == "..") return false;
    begin = end + 1;
  }
  return true;
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string read_all(int descriptor, const std::string& path, std::size_t max_bytes) {
  std::string bytes;
  std::string piece(64U << 10U, '\0');
  for (;;) {
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error("can't read \"" + path + "\": " + std::strerror(errno));
    if (got == 0) return bytes;
    bytes.append(piece, 0, static_cast<std::size_t>(got));
    if (bytes.size() > max_bytes) {
      throw Error("\"" + path + "\" is larger than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

bool passes_symlink(const std::filesystem::path& root, std::string_view path) {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    std::error_code ignored;
    if (std::filesystem::is_symlink(std::filesystem::symlink_status(root / path.substr(0, slash), ignored)))
      return true;
  }
  return false;
}

TreeEntry entry_of(const std::filesystem::directory_entry& found, std::string path) {
  if (found.is_symlink()) return {std::move(path), EntryType::symlink, {}, 0};
  const auto owner_runs = found.status().permissions() & std::filesystem::perms::owner_exec;
  const bool runs = owner_runs != std::filesystem::perms::none;
  return {std::move(path), runs ? EntryType::executable : EntryType::file, {}, found.file_size()};
}

void walk(const std::filesystem::path& folder, const std::string& prefix, int depth, std::vector<TreeEntry>& entries) {
  if (depth > deepest) throw Error("\"" + prefix + "\" lies deeper than " + std::to_string(deepest) + " folders");
  for (const auto& found : std::filesystem::directory_iterator(folder)) {
    const std::string name = found.path().filename().string();
    if (name.starts_with(".")) continue;
    const std::string path = prefix + name;
    if (found.is_directory() && !found.is_symlink()) {
      walk(found.path(), path + "/", depth + 1, entries);
    } else if (found.is_symlink() || found.is_regular_file()) {
      entries.push_back(entry_of(found, path));
    }
    if (entries.size() > most_entries) throw Error("the folder has more than a million files");
  }
}

}  // namespace

DirectoryTree::DirectoryTree(std::string root) : root_(std::move(root)) {
  std::error_code problem;
  if (!std::filesystem::is_directory(root_, problem)) throw Error("\"" + root_ + "\" is no folder that can be read");
}

std::vector<TreeEntry> DirectoryTree::list(std::string_view folder) const {
  if (!folder.empty() && !is_tree_path(folder)) return {};
  std::vector<TreeEntry> entries;
  try {
    const std::filesystem::path start =
        folder.empty() ? std::filesystem::path(root_) : root_ / std::filesystem::path(folder);
    const bool real = !passes_symlink(root_, std::string(folder) + "/");
    if (!real || !std::filesystem::is_directory(start)) return {};
    walk(start, folder.empty() ? "" : std::string(folder) + "/", 0, entries);
  } catch (const std::filesystem::filesystem_error& problem) {
    throw Error("can't list \"" + problem.path1().string() + "\": " + problem.code().message());
  }
  std::sort(entries.begin(), entries.end(),
            [](const TreeEntry& left, const TreeEntry& right) { return left.path < right.path; });
  return entries;
}

std::optional<std::string> DirectoryTree::read(std::string_view path, std::size_t max_bytes) const {
  if (!is_tree_path(path) || passes_symlink(root_, path)) return std::nullopt;
  const std::string full = root_ + "/" + std::string(path);
  const Descriptor file(::open(full.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENXIO) return std::nullopt;
    throw Error("can't open \"" + full + "\": " + std::strerror(errno));
  }
  struct stat about {};
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  return read_all(file.get(), full, max_bytes);
}

std::string DirectoryTree::describe() const { return "directory " + root_; }

MemoryTree::MemoryTree(std::vector<std::pair<std::string, std::string>> files) : files_(std::move(files)) {
  std::sort(files_.begin(), files_.end());
}

std::vector<TreeEntry> MemoryTree::list(std::string_view folder) const {
  std::vector<TreeEntry> entries;
  for (const auto& [path, bytes] : files_) {
    if (is_inside(path, folder)) entries.push_back({path, EntryType::file, {}, bytes.size()});
  }
  return entries;
}

std::optional<std::string> MemoryTree::read(std::string_view path, std::size_t max_bytes) const {
  for (const auto& [name, bytes] : files_) {
    if (name != path) continue;
    if (bytes.size() > max_bytes) {
      throw Error("\"" + name + "\" is larger than " + std::to_string(max_bytes) + " bytes");
    }
    return bytes;
  }
  return std::nullopt;
}

}  // namespace holdfast
