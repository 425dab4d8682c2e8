#include <reconcilers/backup/stored_file.hpp>

#include <manifests/digest.hpp>
#include <reconcilers/backup/record.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/state_files.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace holdfast {

namespace {

constexpr std::size_t piece_bytes = 1U << 18U;
constexpr int gzip_window = 15 + 16;  // zlib's way to say: with a gzip header
constexpr int gzip_memory = 8;
constexpr int gzip_level = 6;

using Buffer = std::array<char, piece_bytes>;

Bytef* bytes_of(std::string_view bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }

}  // namespace

struct StoredWriter::Impl {
  Impl(const std::string& file, bool compress, const BackupGuard& watch)
      : path(file), guard(watch), fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) {
    if (!fd) throw_system_error("cannot write", path, errno, -1);
    if (!compress) return;
    compressing = ::deflateInit2(&stream, gzip_level, Z_DEFLATED, gzip_window, gzip_memory, Z_DEFAULT_STRATEGY) == Z_OK;
    if (!compressing) throw Error("cannot begin to compress \"" + path + "\"");
  }
  ~Impl() {
    if (compressing) ::deflateEnd(&stream);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void write(std::string_view bytes) {
    guard.check();
    append_all(fd, bytes, path);
    digest.add(bytes);
    stored.stored_bytes += static_cast<std::int64_t>(bytes.size());
  }

  void deflate(std::string_view bytes, int flush) {
    stream.next_in = bytes_of(bytes);
    stream.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      stream.next_out = reinterpret_cast<Bytef*>(buffer->data());
      stream.avail_out = static_cast<uInt>(buffer->size());
      const int result = ::deflate(&stream, flush);
      if (result == Z_STREAM_ERROR) throw Error("cannot compress \"" + path + "\"");
      const std::size_t count = buffer->size() - stream.avail_out;
      if (count > 0) write({buffer->data(), count});
      if (flush == Z_FINISH ? result == Z_STREAM_END : stream.avail_in == 0 && stream.avail_out > 0) return;
    }
  }

  std::string path;
  const BackupGuard& guard;
  Fd fd;
  z_stream stream{};
  bool compressing = false;
  std::unique_ptr<Buffer> buffer = std::make_unique<Buffer>();
  Sha256 digest{};
  Stored stored{};
};

StoredWriter::StoredWriter(const std::string& path, const std::string& compression, const BackupGuard& guard)
    : impl_(std::make_unique<Impl>(path, compression == "gzip", guard)) {}

StoredWriter::~StoredWriter() = default;

void StoredWriter::add(std::string_view bytes) {
  impl_->stored.raw_bytes += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    if (impl_->compressing) {
      impl_->deflate(piece, Z_NO_FLUSH);
    } else {
      impl_->write(piece);
    }
  }
}

Stored StoredWriter::finish() {
  if (impl_->compressing) impl_->deflate({}, Z_FINISH);
  if (::fsync(impl_->fd.get()) != 0) throw_system_error("cannot sync", impl_->path, errno, impl_->fd.get());
  ::posix_fadvise(impl_->fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  impl_->stored.digest = impl_->digest.hex();
  return impl_->stored;
}

void read_pieces(const std::string& path, const BackupGuard& guard, const Sink& sink) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) throw_system_error("cannot read", path, errno, -1);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_system_error("cannot read", path, errno, -1);
  if (!S_ISREG(status.st_mode)) throw Error("expected a file at \"" + path + "\", found something else");
  const auto buffer = std::make_unique<Buffer>();
  for (;;) {
    guard.check();
    const ssize_t count = ::read(fd.get(), buffer->data(), buffer->size());
    if (count == 0) return;
    if (count < 0 && errno != EINTR) throw_system_error("cannot read", path, errno, -1);
    if (count > 0) sink({buffer->data(), static_cast<std::size_t>(count)});
  }
}

void sync_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) throw_system_error("cannot sync", path, errno, -1);
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}

Stored measure(const std::string& path, const BackupGuard& guard) {
  Stored found;
  Sha256 digest;
  read_pieces(path, guard, [&](std::string_view bytes) {
    digest.add(bytes);
    found.stored_bytes += static_cast<std::int64_t>(bytes.size());
  });
  found.digest = digest.hex();
  return found;
}

namespace {

/// One gzip stream, and nothing after it.
class Inflater {
 public:
  explicit Inflater(std::string path) : path_(std::move(path)) {
    if (::inflateInit2(&stream_, gzip_window) != Z_OK) throw Error("cannot begin to decompress \"" + path_ + "\"");
  }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void add(std::string_view bytes, const Sink& sink) {
    stream_.next_in = bytes_of(bytes);
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0) {
      if (ended_) throw DamagedBackup("\"" + path_ + "\" has bytes after its end");
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_->data());
      stream_.avail_out = static_cast<uInt>(buffer_->size());
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END)
        throw DamagedBackup("\"" + path_ + "\" does not decompress: it is damaged");
      sink({buffer_->data(), buffer_->size() - stream_.avail_out});
      ended_ = result == Z_STREAM_END;
    }
  }

  [[nodiscard]] bool ended() const { return ended_; }

 private:
  std::string path_;
  z_stream stream_{};
  bool ended_ = false;
  std::unique_ptr<Buffer> buffer_ = std::make_unique<Buffer>();
};

}  // namespace

void read_stored(const std::string& path, const std::string& compression, std::int64_t raw_bytes,
                 const BackupGuard& guard, const Sink& sink) {
  std::int64_t seen = 0;
  const Sink counted = [&](std::string_view bytes) {
    seen += static_cast<std::int64_t>(bytes.size());
    if (seen > raw_bytes)
      throw DamagedBackup("\"" + path + "\" holds more than the " + std::to_string(raw_bytes) + " bytes of its record");
    if (!bytes.empty()) sink(bytes);
  };
  if (compression == "none") {
    read_pieces(path, guard, counted);
  } else {
    Inflater inflater(path);
    read_pieces(path, guard, [&](std::string_view bytes) { inflater.add(bytes, counted); });
    if (!inflater.ended()) throw DamagedBackup("\"" + path + "\" ends in the middle: it is damaged");
  }
  if (seen != raw_bytes) {
    throw DamagedBackup("expected " + std::to_string(raw_bytes) + " bytes in \"" + path + "\", found " +
                        std::to_string(seen));
  }
}

}  // namespace holdfast
