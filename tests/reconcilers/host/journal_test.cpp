#include <reconcilers/host/journal.hpp>

#include "temporary.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

Value record(int number) { return Map{{"record", "intent"}, {"id", "file:/etc/" + std::to_string(number)}}; }

}  // namespace

TEST_CASE("journal gives back what was appended, also after it was opened again", "[journal]") {
  const TemporaryFolder folder;
  const std::string path = folder / "journal";
  Journal(path).append(record(1));
  Journal(path).append(record(2), Durability::buffered);
  CHECK(read_journal(path) == std::vector<Value>{record(1), record(2)});
}

TEST_CASE("journal ignores a tail that is torn at any byte, and writes on after it", "[journal]") {
  const TemporaryFolder folder;
  const std::string path = folder / "journal";
  {
    Journal journal(path);
    journal.append(record(1));
  }
  const std::size_t whole = read_file(path).size();
  Journal(path).append(record(2));
  const std::string bytes = read_file(path);
  for (std::size_t end = whole; end < bytes.size(); ++end) {
    INFO("torn at byte " << end);
    write_file(path, bytes.substr(0, end));
    REQUIRE(read_journal(path) == std::vector<Value>{record(1)});
    Journal(path).append(record(3));
    REQUIRE(read_journal(path) == std::vector<Value>{record(1), record(3)});
  }
}

TEST_CASE("journal ignores an end of zeros, which a power cut leaves of a file that grew", "[journal]") {
  const TemporaryFolder folder;
  const std::string path = folder / "journal";
  Journal(path).append(record(1));
  const std::string bytes = read_file(path);
  for (const std::size_t zeros : {1U, 8U, 100U, 5000U}) {
    write_file(path, bytes + std::string(zeros, '\0'));
    REQUIRE(read_journal(path) == std::vector<Value>{record(1)});
    Journal(path).append(record(2));
    REQUIRE(read_journal(path) == std::vector<Value>{record(1), record(2)});
  }
}

TEST_CASE("journal has nothing in it when even its first record is torn", "[journal]") {
  const TemporaryFolder folder;
  const std::string path = folder / "journal";
  { const Journal journal(path); }
  const std::string bytes = read_file(path);
  for (std::size_t end = 0; end < bytes.size(); ++end) {
    write_file(path, bytes.substr(0, end));
    REQUIRE(read_journal(path).empty());
    Journal(path).append(record(1));
    REQUIRE(read_journal(path) == std::vector<Value>{record(1)});
  }
}

TEST_CASE("journal ends at a record whose bytes were changed", "[journal]") {
  const TemporaryFolder folder;
  const std::string path = folder / "journal";
  Journal(path).append(record(1));
  const std::size_t first = read_file(path).size();
  Journal(path).append(record(2));
  const std::string bytes = read_file(path);
  for (std::size_t at = first; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write_file(path, changed);
    REQUIRE(read_journal(path) == std::vector<Value>{record(1)});
  }
}

TEST_CASE("a reader sees records as they are appended", "[journal]") {
  const TemporaryFolder folder;
  const std::string path = folder / "journal";
  JournalReader reader(path);
  CHECK_FALSE(reader.next());
  Journal journal(path);
  CHECK_FALSE(reader.next());
  journal.append(record(1));
  CHECK(reader.next() == record(1));
  CHECK_FALSE(reader.next());
  journal.append(record(2));
  CHECK(reader.next() == record(2));
}

TEST_CASE("journal of another version is left as it is", "[journal]") {
  const TemporaryFolder folder;
  const std::string path = folder / "journal";
  // {"journal":7}, of a runner to come, with its length and the checksum of it.
  write_file(path, std::string("\0\0\0\x0d\xb9\x02\x9a\xb9", 8) + R"({"journal":7})");
  const std::string bytes = read_file(path);
  CHECK_THROWS_WITH(Journal(path), Catch::Contains("another version"));
  CHECK(read_file(path) == bytes);
}
