#include <reconcilers/primitives/tree_put.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/releases.hpp>
#include <reconcilers/primitives/tree_record.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

constexpr std::uint32_t folder_mode = 0755;

/// One making of a release folder.
class Making {
 public:
  Making(Effects& effects, const Value& arguments)
      : effects_(effects),
        system_(effects.system),
        arguments_(arguments),
        path_(arguments.at("path").as_text()),
        ownership_(effects.system),
        owner_(ownership_.meta(arguments.as_map(), folder_mode)) {
    owner_.durable = false;
    record_.path = path_;
    record_.digest = arguments.at("digest").as_text();
    record_.entries = release_entries(arguments.at("entries"));
  }

  void run() {
    const TreeRecord before = begin();
    remove_obsolete(before);
    make_folders();
    for (const ReleaseEntry& entry : record_.entries) bring(entry, before);
    place_revision_file();
    system_.flush(path_);
    build(before);
    finish();
  }

 private:
  [[nodiscard]] bool has_build() const { return arguments_.find("build") != nullptr; }
  [[nodiscard]] std::string at(const std::string& relative) const { return path_ + "/" + relative; }

  /// The folder, taken back from where its removal put it if that is the same release; and a record that says
  /// "incomplete" until everything is done.
  TreeRecord begin() {
    TreeRecord before = read_tree_record(system_, path_).value_or(TreeRecord{});
    const std::string stash = stash_of(path_);
    if (!system_.stat(path_) && system_.stat(stash)) {
      if (before.complete && before.digest == record_.digest) {
        system_.rename(stash, path_);
      } else {
        system_.remove_tree(stash);
      }
    }
    if (!system_.stat(path_)) before = TreeRecord{};
    own_all_ = !is_owned(path_);
    FileMeta meta = owner_;
    meta.mode = folder_mode;
    meta.durable = true;
    system_.make_directory(path_, meta);
    TreeRecord incomplete = record_;
    incomplete.built = before.complete ? before.built : "";
    write_tree_record(system_, incomplete);
    return before;
  }

  void remove_obsolete(const TreeRecord& before) {
    for (const ReleaseEntry& old : before.entries) {
      if (find_entry(record_, old.path) == nullptr) system_.remove_file(at(old.path));
    }
  }

  void make_folders() {
    std::set<std::string> folders;
    for (const ReleaseEntry& entry : record_.entries) {
      for (std::size_t slash = entry.path.find('/'); slash != std::string::npos;
           slash = entry.path.find('/', slash + 1)) {
        folders.insert(entry.path.substr(0, slash));
      }
    }
    for (const std::string& folder : folders) {
      const std::optional<FileStat> stat = system_.stat(at(folder));
      if (stat && stat->type != FileType::directory) system_.remove_file(at(folder));
      if (!stat || stat->type != FileType::directory) system_.make_directory(at(folder), owner_);
    }
  }

  void clear_way(const std::string& path, FileType wanted) {
    const std::optional<FileStat> stat = system_.stat(path);
    if (stat && stat->type == FileType::directory) system_.remove_tree(path);
    if (stat && stat->type != FileType::directory && stat->type != wanted) system_.remove_file(path);
  }

  void bring(const ReleaseEntry& entry, const TreeRecord& before) {
    const std::optional<ReleaseEntry> expected = expected_entry(before, record_.digest, entry);
    const std::optional<ReleaseEntry> actual = actual_entry(system_, path_, entry, nullptr);
    if (same_entry(actual, expected)) {
      if (actual) own(at(entry.path));
      return;
    }
    if (!same_entry(expected, entry)) changed_by_build_ = true;
    if (actual && !entry.is_link() && actual->content == entry.content) {
      FileMeta meta = owner_;
      meta.mode = entry.mode;
      return system_.set_meta(at(entry.path), meta);
    }
    place(entry, at(entry.path));
  }

  void place(const ReleaseEntry& entry, const std::string& path) {
    clear_way(path, entry.is_link() ? FileType::link : FileType::regular);
    if (entry.is_link()) {
      system_.put_link(path, entry.target);
      return own(path);
    }
    FileMeta meta = owner_;
    meta.mode = entry.mode;
    if (effects_.vault.has(entry.content)) return system_.copy(effects_.vault.path_of(entry.content), path, meta);
    take_from_sibling(entry, path, meta);
  }

  void take_from_sibling(const ReleaseEntry& entry, const std::string& path, const FileMeta& meta) {
    if (!siblings_) siblings_ = sibling_files(system_, path_);
    const auto [first, last] = siblings_->equal_range(entry.content);
    for (auto sibling = first; sibling != last; ++sibling) {
      const std::string& source = sibling->second;
      const std::optional<FileStat> stat = system_.stat(source);
      if (!stat || stat->type != FileType::regular || system_.digest(source) != entry.content) continue;
      // One inode in two releases is only safe where nothing is meant to write into it, and nothing of it differs.
      const bool alike = stat->mode == meta.mode && stat->uid == meta.uid.value_or(stat->uid) &&
                         stat->gid == meta.gid.value_or(stat->gid);
      if (has_build() || !alike || !system_.hard_link(source, path)) system_.copy(source, path, meta);
      return;
    }
    throw Error("the content of \"" + path + "\" is not on the host");
  }

  [[nodiscard]] bool is_owned(const std::string& path) const {
    const std::optional<FileStat> stat = system_.stat(path);
    return stat && stat->uid == owner_.uid.value_or(stat->uid) && stat->gid == owner_.gid.value_or(stat->gid);
  }

  void own(const std::string& path) {
    if (!is_owned(path)) system_.set_owner(path, owner_.uid, owner_.gid);
  }

  void place_revision_file() {
    const Value* file = arguments_.find("revision_file");
    if (file == nullptr) return;
    const std::string path = at(file->at("name").as_text());
    if (system_.digest(path) == sha256(file->at("text").as_text())) return;
    clear_way(path, FileType::regular);
    FileMeta meta = owner_;
    meta.mode = 0644;
    system_.write(path, file->at("text").as_text(), meta);
  }

  void build(const TreeRecord& before) {
    if (!has_build()) return;
    record_.built = arguments_.text_or("built", "");
    const bool done = before.complete && before.digest == record_.digest && before.built == record_.built;
    if (done && !changed_by_build_) return;
    build_tree(effects_, path_, arguments_);
    own_all_ = true;
  }

  void finish() {
    if (own_all_) own_tree(system_, arguments_);
    std::vector<ReleaseEntry> left;
    for (const ReleaseEntry& entry : record_.entries) {
      if (std::optional<ReleaseEntry> actual = actual_entry(system_, path_, entry, nullptr))
        left.push_back(std::move(*actual));
    }
    record_.entries = std::move(left);
    record_.complete = true;
    record_.made_ns = system_.now_ns();
    system_.flush(path_);
    write_tree_record(system_, record_);
  }

  Effects& effects_;
  System& system_;
  const Value& arguments_;
  std::string path_;
  Ownership ownership_;
  FileMeta owner_;
  TreeRecord record_;
  std::optional<std::multimap<std::string, std::string>> siblings_;
  bool own_all_ = false;           // else only what is touched gets its owner: a build may leave others
  bool changed_by_build_ = false;  // a source file that the build had changed was put back: build again
};

void own_below(System& system, const std::string& folder, const FileMeta& meta, std::uint64_t device) {
  for (const std::string& name : system.list(folder)) {
    const std::string path = folder + "/" + name;
    const std::optional<FileStat> stat = system.stat(path);
    if (!stat || stat->device != device) continue;
    if (stat->uid != meta.uid.value_or(stat->uid) || stat->gid != meta.gid.value_or(stat->gid)) {
      system.set_owner(path, meta.uid, meta.gid);
    }
    if (stat->type == FileType::directory) own_below(system, path, meta, stat->device);
  }
}

}  // namespace

void put_tree(Effects& effects, const Step& step) {
  const Value arguments = step.arguments;
  Making(effects, arguments).run();
}

void own_tree(System& system, const Value& arguments) {
  const std::string& path = arguments.at("path").as_text();
  const FileMeta meta = Ownership(system).meta(arguments.as_map(), folder_mode);
  const std::optional<FileStat> stat = system.stat(path);
  if (!stat || (!meta.uid && !meta.gid)) return;
  system.set_owner(path, meta.uid, meta.gid);
  own_below(system, path, meta, stat->device);
}

}  // namespace holdfast
