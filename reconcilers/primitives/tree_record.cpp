#include <reconcilers/primitives/tree_record.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t max_record_bytes = 256U << 20U;
constexpr std::uint32_t link_mode = 0;  // it has none of its own

std::string record_folder() { return std::string(state_folder) + "/trees"; }
std::string record_path(const std::string& path) { return record_folder() + "/" + sha256(path) + ".json"; }

Value to_value(const ReleaseEntry& entry) {
  if (entry.is_link()) return Map{{"path", entry.path}, {"target", entry.target}};
  return Map{{"path", entry.path},
             {"mode", entry.mode},
             {"content", entry.content},
             {"size", entry.size},
             {"stamp", List{entry.stamp.inode, entry.stamp.size, entry.stamp.changed_ns}}};
}

bool stays_inside(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.back() == '/') return false;
  const std::string framed = "/" + path + "/";
  return framed.find("/../") == framed.npos && framed.find("/./") == framed.npos && framed.find("//") == framed.npos;
}

ReleaseEntry entry_from(const Value& value) {
  ReleaseEntry entry;
  entry.path = value.at("path").as_text();
  if (!stays_inside(entry.path)) throw Error("expected a path inside the release, found \"" + entry.path + "\"");
  if (const Value* target = value.find("target")) {
    entry.target = target->as_text();
    entry.mode = link_mode;
    return entry;
  }
  entry.content = value.at("content").as_text();
  if (!is_sha256(entry.content))
    throw Error("expected the digest of \"" + entry.path + "\", found \"" + entry.content + "\"");
  entry.mode = static_cast<std::uint32_t>(value.int_or("mode", 0644)) & 0777U;
  entry.size = static_cast<std::uint64_t>(value.int_or("size", 0));
  if (const Value* stamp = value.find("stamp"); stamp != nullptr && stamp->as_list().size() == 3) {
    const List& parts = stamp->as_list();
    entry.stamp = {.inode = static_cast<std::uint64_t>(parts[0].as_int()),
                   .size = static_cast<std::uint64_t>(parts[1].as_int()),
                   .changed_ns = parts[2].as_int()};
  }
  return entry;
}

}  // namespace

Stamp stamp_of(const FileStat& stat) { return {.inode = stat.inode, .size = stat.size, .changed_ns = stat.changed_ns}; }

std::optional<TreeRecord> read_tree_record(const System& system, const std::string& path) {
  const std::optional<std::string> text = system.read(record_path(path), max_record_bytes);
  if (!text) return std::nullopt;
  try {
    const Value value = from_json(*text, {.bytes = max_record_bytes, .depth = 8});
    TreeRecord record;
    record.path = value.at("path").as_text();
    record.digest = value.text_or("digest", "");
    record.built = value.text_or("built", "");
    record.complete = value.bool_or("complete", false);
    record.made_ns = value.int_or("made_ns", 0);
    record.entries = release_entries(value.at("entries"));
    if (record.path == path) return record;
  } catch (const Error&) {
    return std::nullopt;  // a record that can't be read knows nothing; the folder itself is looked at then
  }
  return std::nullopt;
}

void write_tree_record(System& system, const TreeRecord& record) {
  const Value value =
      Map{{"path", record.path},         {"digest", record.digest},   {"built", record.built},
          {"complete", record.complete}, {"made_ns", record.made_ns}, {"entries", to_list(record.entries)}};
  ensure_folder(system, record_folder());
  system.write(record_path(record.path), to_json(value), {.mode = 0600});
}

void remove_tree_record(System& system, const std::string& path) { system.remove_file(record_path(path)); }

std::vector<ReleaseEntry> release_entries(const Value& list) {
  std::vector<ReleaseEntry> entries;
  for (const Value& one : list.as_list()) entries.push_back(entry_from(one));
  std::ranges::sort(entries, {}, &ReleaseEntry::path);
  const auto is_entry = [&](std::string_view path) {
    return std::ranges::binary_search(entries, path, {}, &ReleaseEntry::path);
  };
  for (const ReleaseEntry& entry : entries) {
    const std::string_view path = entry.path;
    for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      if (is_entry(path.substr(0, slash)))
        throw Error("\"" + entry.path + "\" lies below what is no folder of the release");
    }
  }
  return entries;
}

List to_list(const std::vector<ReleaseEntry>& entries) {
  List list;
  for (const ReleaseEntry& entry : entries) list.push_back(to_value(entry));
  return list;
}

std::optional<ReleaseEntry> actual_entry(const System& system, const std::string& folder, const ReleaseEntry& wanted,
                                         const ReleaseEntry* known) {
  const std::string path = folder + "/" + wanted.path;
  const std::optional<FileStat> stat = system.stat(path);
  if (!stat || stat->type != (wanted.is_link() ? FileType::link : FileType::regular)) return std::nullopt;
  ReleaseEntry actual{.path = wanted.path, .mode = link_mode};
  if (wanted.is_link()) {
    actual.target = system.read_link(path).value_or("");
    return actual;
  }
  actual.mode = stat->mode;
  actual.size = stat->size;
  actual.stamp = stamp_of(*stat);
  const bool trusted = known != nullptr && known->stamp == actual.stamp && known->path == wanted.path;
  actual.content = trusted ? known->content : system.digest(path).value_or("");
  return actual;
}

bool same_entry(const ReleaseEntry& left, const ReleaseEntry& right) {
  return left.content == right.content && left.target == right.target && left.mode == right.mode;
}

const ReleaseEntry* find_entry(const TreeRecord& record, const std::string& path) {
  const auto found = std::ranges::lower_bound(record.entries, path, {}, &ReleaseEntry::path);
  return found != record.entries.end() && found->path == path ? &*found : nullptr;
}

std::optional<ReleaseEntry> expected_entry(const TreeRecord& record, const std::string& digest,
                                           const ReleaseEntry& source) {
  if (!record.complete || record.digest != digest) return source;
  const ReleaseEntry* left = find_entry(record, source.path);
  return left == nullptr ? std::nullopt : std::optional(*left);
}

bool same_entry(const std::optional<ReleaseEntry>& left, const std::optional<ReleaseEntry>& right) {
  if (!left || !right) return !left && !right;
  return left->content == right->content && left->target == right->target && left->mode == right->mode;
}

std::string stash_of(const std::string& path) {
  const std::string parent = parent_of(path);
  return (parent == "/" ? "" : parent) + "/.holdfast-removed-" + name_of(path);
}

}  // namespace holdfast
