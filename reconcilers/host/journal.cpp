#include <reconcilers/host/journal.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/state_files.hpp>

#include <boost/crc.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace holdfast {

namespace {

constexpr int version = 1;
constexpr std::size_t header_bytes = 8;
constexpr std::uint32_t max_record_bytes = 64U << 20U;
constexpr std::size_t read_step = 64U << 10U;

std::uint32_t crc_of(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

std::string number_bytes(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes += static_cast<char>((number >> static_cast<unsigned>(shift)) & 255U);
  return bytes;
}

std::uint32_t number_at(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = (number << 8U) | static_cast<unsigned char>(bytes[i]);
  return number;
}

}  // namespace

Journal::Journal(std::string path) : path_(std::move(path)) {
  JournalReader reader(path_);
  while (reader.next()) {
  }
  fd_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) throw_system_error("cannot open the journal", path_, errno, -1);
  if (::ftruncate(fd_.get(), static_cast<off_t>(reader.offset())) != 0) {
    throw_system_error("cannot cut the torn end of", path_, errno, fd_.get());
  }
  if (reader.offset() == 0) append(Map{{"journal", version}});
}

void Journal::append(const Value& record, Durability durability) {
  const std::string payload = to_json(record);
  if (payload.size() > max_record_bytes)
    throw Error("journal record of " + std::to_string(payload.size()) + " bytes is too large");
  std::string frame = number_bytes(static_cast<std::uint32_t>(payload.size())) + number_bytes(crc_of(payload));
  const bool first = ::lseek(fd_.get(), 0, SEEK_END) == 0;
  if (durability == Durability::buffered) return append_all(fd_, frame + payload, path_);
  HOLDFAST_FAILPOINT("journal.append");
  append_all(fd_, frame + payload, path_);
  HOLDFAST_FAILPOINT("journal.written");
  if (::fsync(fd_.get()) != 0) throw_system_error("cannot sync the journal", path_, errno, fd_.get());
  if (first) sync_state_folder(parent_of(path_));
  HOLDFAST_FAILPOINT("journal.synced");
}

bool JournalReader::fill(std::size_t bytes) {
  while (buffer_.size() < bytes) {
    std::array<char, read_step> piece{};
    const auto from = static_cast<off_t>(offset_ + buffer_.size());
    const ssize_t count = ::pread(fd_.get(), piece.data(), piece.size(), from);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_system_error("cannot read the journal", path_, errno, fd_.get());
    if (count == 0) return false;
    buffer_.append(piece.data(), static_cast<std::size_t>(count));
  }
  return true;
}

bool JournalReader::whole_record() {
  if (!fill(header_bytes)) return false;
  const std::uint32_t length = number_at(buffer_);
  // A file that grew before its power went may end in zeros, which would pass for an empty record.
  if (length == 0 || length > max_record_bytes || !fill(header_bytes + length)) return false;
  const std::string_view bytes = buffer_;
  return crc_of(bytes.substr(header_bytes, length)) == number_at(bytes.substr(4));
}

std::optional<Value> JournalReader::next_payload() {
  if (!fd_) fd_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd_) return std::nullopt;
  if (!whole_record()) {
    buffer_.clear();  // what stands there is unfinished, and may be cut off and replaced by a whole record
    return std::nullopt;
  }
  const std::uint32_t length = number_at(buffer_);
  Value record =
      from_json(std::string_view(buffer_).substr(header_bytes, length), {.bytes = max_record_bytes, .depth = 48});
  offset_ += header_bytes + length;
  buffer_.erase(0, header_bytes + length);
  return record;
}

std::optional<Value> JournalReader::next() {
  if (!version_seen_) {
    const std::optional<Value> first = next_payload();
    if (!first) return std::nullopt;
    if (first->int_or("journal", 0) != version) {
      throw Error("\"" + path_ + "\" is a journal of another version: expected " + std::to_string(version) +
                  ", found " + to_json(*first) + "; it is left as it is");
    }
    version_seen_ = true;
  }
  return next_payload();
}

std::vector<Value> read_journal(const std::string& path) {
  std::vector<Value> records;
  JournalReader reader(path);
  while (std::optional<Value> record = reader.next()) records.push_back(std::move(*record));
  return records;
}

}  // namespace holdfast
