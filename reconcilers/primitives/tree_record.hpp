#pragma once

#include <reconcilers/host/system.hpp>
#include <reconcilers/primitive.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// What tells that a file was not touched since its content was last read.
struct Stamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};
Stamp stamp_of(const FileStat& stat);

/// One source entry of a release: a file with content and mode, or a link with a target.
struct ReleaseEntry {
  std::string path{};  // relative
  std::uint32_t mode = 0644;
  std::string content{};  // SHA-256; empty for a link
  std::string target{};
  std::uint64_t size = 0;
  Stamp stamp{};  // when it was last known to be right; only in records
  [[nodiscard]] bool is_link() const { return content.empty(); }
};

/// What holdfast remembers of a release folder that it made: a file below its state folder, written last, so that an
/// interrupted making or build is seen as such.
struct TreeRecord {
  std::string path{};    // of the folder
  std::string digest{};  // of the source entries
  std::string built{};   // digest of the build that ran to its end
  bool complete = false;
  std::int64_t made_ns = 0;
  std::vector<ReleaseEntry> entries{};  // as they were after the build, sorted by path
};

std::optional<TreeRecord> read_tree_record(const System& system, const std::string& path);
void write_tree_record(System& system, const TreeRecord& record);
void remove_tree_record(System& system, const std::string& path);

/// The entries of a tree's parameters, or of a "tree.put" step, sorted by path. Throws Error for one that leaves the
/// folder or lies below another entry.
std::vector<ReleaseEntry> release_entries(const Value& list);
/// The other way round.
List to_list(const std::vector<ReleaseEntry>& entries);

/// The entry as it is on the disk: content read anew only where `known` (may be null) has another stamp. nullopt where
/// nothing is there, or something of another type.
std::optional<ReleaseEntry> actual_entry(const System& system, const std::string& folder, const ReleaseEntry& wanted,
                                         const ReleaseEntry* known);
/// What an entry should be on the disk: as the build of that very source left it, else its source. nullopt where the
/// build took it away.
std::optional<ReleaseEntry> expected_entry(const TreeRecord& record, const std::string& digest,
                                           const ReleaseEntry& source);
/// nullptr where the record has no such entry.
const ReleaseEntry* find_entry(const TreeRecord& record, const std::string& path);
/// Both missing, or same mode and content, or same target.
bool same_entry(const std::optional<ReleaseEntry>& left, const std::optional<ReleaseEntry>& right);

/// Where the removed release of that path waits for the confirmation of its removal.
std::string stash_of(const std::string& path);

}  // namespace holdfast
