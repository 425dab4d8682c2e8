#include <reconcilers/backup/record.hpp>
#include <reconcilers/backup/tar_reader.hpp>
#include <reconcilers/host/process.hpp>

#include "temporary.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

std::string archive(const TemporaryFolder& folder) {
  write_file(folder / "in/one", "hello");
  write_file(folder / "in/" + std::string(150, 'n'), std::string(5000, 'x'));
  write_file(folder / "in/empty", "");
  std::filesystem::create_symlink("one", folder / "in/link");
  const Command command{.argv = {"tar", "--create", "--format=posix", "--file=" + (folder / "a.tar"), "in"},
                        .folder = folder.path()};
  REQUIRE(run_process(command, std::nullopt).ok());
  return read_file(folder / "a.tar");
}

std::int64_t entries(std::string_view bytes, std::size_t piece) {
  TarReader reader;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) reader.add(bytes.substr(0, piece));
  return reader.finish();
}

}  // namespace

TEST_CASE("the entries of an archive are counted, in whatever pieces it comes", "[backup][tar]") {
  const TemporaryFolder folder;
  const std::string bytes = archive(folder);
  for (const std::size_t piece : {1U, 7U, 512U, 4096U, 1U << 20U}) CHECK(entries(bytes, piece) == 5);
}

TEST_CASE("an archive that was cut off or changed is damaged", "[backup][tar]") {
  const TemporaryFolder folder;
  const std::string bytes = archive(folder);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{100}, std::size_t{512}, std::size_t{1500}, std::size_t{3000}}) {
    CHECK_THROWS_AS(entries(bytes.substr(0, length), 512), DamagedBackup);
  }
  for (const std::size_t at : {0U, 120U, 130U, 150U, 156U, 300U}) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    INFO(at);
    CHECK_THROWS_AS(entries(changed, 512), DamagedBackup);
  }
  CHECK_THROWS_AS(entries(bytes + std::string(511, '\0') + "x", 512), DamagedBackup);
}
