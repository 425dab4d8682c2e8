#include <reconcilers/backup/record.hpp>
#include <reconcilers/backup/stored_file.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include "temporary.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace holdfast;

namespace {

std::string noise(std::size_t size) {
  std::mt19937 random(5);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() % 40);
  return bytes;
}

Stored store(const std::string& path, const std::string& compression, const std::string& bytes,
             const BackupGuard& guard) {
  StoredWriter writer(path, compression, guard);
  for (std::size_t at = 0; at < bytes.size(); at += 300'000) writer.add(std::string_view(bytes).substr(at, 300'000));
  return writer.finish();
}

std::string restore(const std::string& path, const std::string& compression, std::int64_t raw,
                    const BackupGuard& guard) {
  std::string bytes;
  read_stored(path, compression, raw, guard, [&](std::string_view piece) { bytes.append(piece); });
  return bytes;
}

}  // namespace

TEST_CASE("what is stored comes back", "[backup][stored]") {
  const TemporaryFolder folder;
  const BackupGuard guard(folder.path(), 0, 0, std::chrono::minutes(5));
  for (const std::string compression : {"gzip", "none"}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{262'144}, std::size_t{2'000'001}}) {
      const std::string bytes = noise(size);
      const std::string path = folder / compression + std::to_string(size);
      const Stored stored = store(path, compression, bytes, guard);
      CHECK(stored.raw_bytes == static_cast<std::int64_t>(size));
      CHECK(stored.digest == sha256(read_file(path)));
      CHECK(stored.stored_bytes == static_cast<std::int64_t>(read_file(path).size()));
      CHECK(measure(path, guard).digest == stored.digest);
      CHECK(restore(path, compression, stored.raw_bytes, guard) == bytes);
      CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms(077)) ==
            std::filesystem::perms::none);
    }
  }
}

TEST_CASE("what was cut off, lengthened or recorded otherwise is damaged", "[backup][stored]") {
  const TemporaryFolder folder;
  const BackupGuard guard(folder.path(), 0, 0, std::chrono::minutes(5));
  const std::string path = folder / "file";
  const Stored stored = store(path, "gzip", noise(100'000), guard);
  const std::string good = read_file(path);
  write_file(path, good.substr(0, good.size() - 9));
  CHECK_THROWS_AS(restore(path, "gzip", stored.raw_bytes, guard), DamagedBackup);
  write_file(path, good + "more");
  CHECK_THROWS_AS(restore(path, "gzip", stored.raw_bytes, guard), DamagedBackup);
  write_file(path, good);
  CHECK_THROWS_AS(restore(path, "gzip", stored.raw_bytes - 1, guard), DamagedBackup);
  CHECK_THROWS_AS(restore(path, "gzip", stored.raw_bytes + 1, guard), DamagedBackup);
  CHECK_THROWS_AS(restore(path, "none", stored.raw_bytes, guard), DamagedBackup);
}

TEST_CASE("a disk that becomes too full and a deadline end a backup while it writes", "[backup][stored]") {
  const TemporaryFolder folder;
  const std::string bytes = noise(1'000'000);
  const BackupGuard full(folder.path(), 0, std::int64_t{1} << 60, std::chrono::minutes(5));
  CHECK_THROWS_WITH(store(folder / "a", "none", bytes, full), Catch::Contains("must stay free"));
  CHECK_THROWS_WITH(full.expect_room_for(1), Catch::Contains("make room"));
  const BackupGuard late(folder.path(), 0, 0, std::chrono::milliseconds(0));
  CHECK_THROWS_WITH(store(folder / "b", "gzip", bytes, late), Catch::Contains("timeout"));
  const BackupGuard fine(folder.path(), 0, 0, std::chrono::minutes(5));
  CHECK_NOTHROW(store(folder / "c", "gzip", bytes, fine));
  std::filesystem::create_symlink(folder / "c", folder / "link");
  CHECK_THROWS_AS(measure(folder / "link", fine), Error);
  CHECK_THROWS_AS(store(folder / "link", "none", bytes, fine), Error);
}

TEST_CASE("sizes are told for people", "[backup][stored]") {
  CHECK(stored_size_text(0) == "0 bytes");
  CHECK(stored_size_text(1536) == "1.5 KiB");
  CHECK(stored_size_text(std::int64_t{5} << 30) == "5.0 GiB");
}
