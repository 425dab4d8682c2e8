#include "write_log.hpp"

#include <algorithm>

namespace holdfast {

namespace {

using Kind = Operation::Kind;

/// What may have become of one file: every content and every metadata that it may have, each for itself.
struct Versions {
  std::vector<std::string> contents{};
  std::vector<Meta> metas{};
  [[nodiscard]] std::size_t count() const { return contents.size() * metas.size(); }
};

class Crash {
 public:
  Crash(const WriteLog& log, std::size_t done) : log_(log), done_(done) {
    for (std::size_t i = 0; i < done_; ++i) {
      if (log_.operations[i].kind == Kind::names && !is_synced(i)) open_names_.push_back(i);
    }
    for (const auto& [number, node] : log_.nodes) versions_[number] = versions_of(number, node);
  }

  std::set<CrashState> states() const {
    std::set<CrashState> found;
    for (std::size_t chosen = 0; chosen < (std::size_t{1} << open_names_.size()); ++chosen) {
      const auto folders = folders_with(chosen);
      std::map<std::string, int> tree;
      collect(folders, 0, "", tree);
      add_states(tree, found);
    }
    return found;
  }

 private:
  /// A later sync of that file or folder, or of everything, has seen to it.
  [[nodiscard]] bool is_synced(std::size_t operation) const {
    for (std::size_t i = operation + 1; i < done_; ++i) {
      const Operation& later = log_.operations[i];
      if (later.kind == Kind::sync_all) return true;
      if (later.kind == Kind::sync && later.node == log_.operations[operation].node) return true;
    }
    return false;
  }

  [[nodiscard]] Versions versions_of(int number, const Node& node) const {
    Versions versions{.contents = {node.content}, .metas = {node.meta}};
    std::string on_disk = node.content;
    for (std::size_t i = 0; i < done_; ++i) {
      const Operation& one = log_.operations[i];
      if (one.node != number || (one.kind != Kind::content && one.kind != Kind::meta)) continue;
      const bool synced = is_synced(i);
      if (one.kind == Kind::meta) {
        if (synced) versions.metas.clear();
        versions.metas.push_back(one.meta);
      } else {
        if (synced) versions.contents.clear();
        versions.contents.push_back(one.content);
        if (synced) {
          on_disk = one.content;
          continue;
        }
        // What was added may be cut short, or its blocks are there and were never written; what was synced stays.
        const std::string kept = one.content.starts_with(on_disk) ? on_disk : std::string();
        const std::size_t added = one.content.size() - kept.size();
        versions.contents.push_back(kept + one.content.substr(kept.size(), added / 2));
        versions.contents.push_back(kept + std::string(added, '\0'));
        versions.contents.push_back(kept);
      }
    }
    return versions;
  }

  [[nodiscard]] std::map<int, std::map<std::string, int>> folders_with(std::size_t chosen) const {
    auto folders = log_.folders;
    for (std::size_t i = 0; i < done_; ++i) {
      const Operation& one = log_.operations[i];
      if (one.kind != Kind::names) continue;
      const auto open = std::ranges::find(open_names_, i);
      const auto bit = static_cast<std::size_t>(open - open_names_.begin());
      if (open != open_names_.end() && (chosen >> bit & 1U) == 0) continue;
      for (const auto& [name, node] : one.names) {
        if (node < 0) {
          folders[one.node].erase(name);
        } else {
          folders[one.node][name] = node;
        }
      }
    }
    return folders;
  }

  void collect(const std::map<int, std::map<std::string, int>>& folders, int folder, const std::string& path,
               std::map<std::string, int>& tree) const {
    const auto names = folders.find(path.empty() ? log_.paths.at("") : folder);
    if (names == folders.end()) return;
    for (const auto& [name, node] : names->second) {
      tree[path + "/" + name] = node;
      if (log_.nodes.at(node).type == Node::Type::folder) collect(folders, node, path + "/" + name, tree);
    }
  }

  /// Every version of every file beside every version of the others.
  void add_states(const std::map<std::string, int>& tree, std::set<CrashState>& found) const {
    std::set<int> nodes;
    for (const auto& [path, node] : tree) nodes.insert(node);
    std::map<int, std::size_t> choice;
    for (;;) {
      CrashState state;
      for (const auto& [path, node] : tree) state[path] = version(node, choice[node]);
      found.insert(std::move(state));
      auto next = nodes.begin();
      while (next != nodes.end() && ++choice[*next] == versions_.at(*next).count()) choice[*next++] = 0;
      if (next == nodes.end()) return;
    }
  }

  [[nodiscard]] Node version(int number, std::size_t choice) const {
    const Versions& versions = versions_.at(number);
    Node node = log_.nodes.at(number);
    node.content = versions.contents[choice % versions.contents.size()];
    node.meta = versions.metas[choice / versions.contents.size()];
    return node;
  }

  const WriteLog& log_;
  std::size_t done_;
  std::vector<std::size_t> open_names_{};  // operations on names that no sync has seen to
  std::map<int, Versions> versions_{};
};

}  // namespace

std::set<CrashState> crash_states(const WriteLog& log, std::size_t done) { return Crash(log, done).states(); }

}  // namespace holdfast
