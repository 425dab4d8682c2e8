#include <reconcilers/host/reserve.hpp>

#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::uint64_t journal_bytes = 1U << 20U;
constexpr std::uint64_t block_bytes = 4096;  // also a small file takes one
constexpr const char* reserve_name = "reserve";

std::string transaction_folder(const std::string& transaction) {
  return std::string(state_folder) + "/transactions/" + transaction;
}

std::uint64_t in_blocks(std::uint64_t bytes) { return (bytes / block_bytes + 1) * block_bytes; }

/// What a file takes on a disk that is to hold this content.
std::uint64_t bytes_of(const Attributes& state) {
  const auto size = state.find("size");
  return in_blocks(size == state.end() ? 0 : static_cast<std::uint64_t>(std::max<std::int64_t>(size->second.as_int(), 0)));
}

bool loses_content(const Action& action) {
  return action.id.type == PrimitiveType::file && is_present(action.from) &&
         (!is_present(action.to) || differs(action.from, action.to, "content"));
}

std::uint64_t device_of(const System& system, const std::string& path) {
  const std::optional<FileStat> stat = system.stat(path);
  return stat ? stat->device : 0;
}

/// The uppermost folder on the same file system: one that no change removes.
std::string top_of(const System& system, std::string folder, std::uint64_t device) {
  while (folder != "/" && device_of(system, parent_of(folder)) == device) folder = parent_of(folder);
  return folder == "/" ? "" : folder;
}

}  // namespace

std::vector<Reserve> reserves_for(const System& system, const std::string& transaction,
                                  const std::vector<Action>& actions) {
  const std::string own = transaction_folder(transaction);
  std::vector<Reserve> reserves = {
      {.path = own + "/" + reserve_name, .bytes = journal_bytes, .device = device_of(system, own)}};
  for (const Action& action : actions) {
    if (!loses_content(action)) continue;
    const std::string folder = parent_of(action.id.name);
    const std::uint64_t device = device_of(system, folder);
    auto known = std::ranges::find_if(reserves, [&](const Reserve& one) { return one.device == device; });
    if (known == reserves.end()) {
      const std::string path = top_of(system, folder, device) + "/.holdfast-reserve-" + transaction;
      known = reserves.insert(reserves.end(), {.path = path, .device = device});
    }
    if (known->because.name.empty()) known->because = action.id;
    known->bytes += bytes_of(action.from);
  }
  return reserves;
}

void release_for(System& system, const std::vector<std::string>& reserves, const Action& undo) {
  const bool writes = undo.id.type == PrimitiveType::file && is_present(undo.to) &&
                      (!is_present(undo.from) || differs(undo.from, undo.to, "content"));
  const auto content = undo.to.find("content");
  if (!writes || content == undo.to.end()) return;
  const std::optional<FileStat> saved = system.stat(std::string(state_folder) + "/vault/" + content->second.as_text());
  const std::uint64_t device = device_of(system, parent_of(undo.id.name));
  for (const std::string& path : reserves) {
    const std::optional<FileStat> stat = system.stat(path);
    if (stat && saved && device_of(system, parent_of(path)) == device) system.shrink(path, in_blocks(saved->size));
  }
}

void release_journal(System& system, const std::vector<std::string>& reserves) {
  if (!reserves.empty()) system.shrink(reserves.front(), journal_bytes);
}

}  // namespace holdfast
