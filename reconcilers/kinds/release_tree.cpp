#include <reconcilers/kinds/release_tree.hpp>

#include <manifests/digest.hpp>
#include <manifests/formats.hpp>
#include <reconcilers/tree_digest.hpp>

#include <string_view>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_entries = 100'000;
constexpr int most_problems = 20;  // of one kind: a vendored folder can be full of the same

/// True where following the link from where it stands would leave the release.
bool leaves_release(std::string_view path, std::string_view target) {
  if (target.empty() || target.starts_with('/') || target.find('\0') != std::string_view::npos) return true;
  int depth = 0;
  for (const char letter : path) depth += letter == '/' ? 1 : 0;
  for (std::size_t begin = 0; begin <= target.size();) {
    const std::size_t end = std::min(target.find('/', begin), target.size());
    const std::string_view segment = target.substr(begin, end - begin);
    if (segment == "..") --depth;
    if (!segment.empty() && segment != "." && segment != "..") ++depth;
    if (depth < 0) return true;
    begin = end + 1;
  }
  return false;
}

struct Fault {
  std::string what{};
  std::string hint{};
};

Fault fault_of(const SourceEntry& entry) {
  if (!is_relative_path(entry.path)) {
    return {"the release has a path that can't be carried: \"" + entry.path + "\"", "rename it"};
  }
  if (entry.type == EntryType::submodule) {
    return {"the release has a submodule at \"" + entry.path + "\", which is not fetched",
            "give it a Release of its own, or put its files into the repository"};
  }
  if (entry.type == EntryType::symlink) {
    if (!leaves_release(entry.path, entry.target)) return {};
    return {"the symbolic link \"" + entry.path + "\" leads out of the release, to \"" + entry.target + "\"",
            "make it relative to a file of the release"};
  }
  if (!is_sha256(entry.digest)) return {"the content of \"" + entry.path + "\" has no digest", ""};
  return {};
}

Value carried(const SourceEntry& entry) {
  if (entry.type == EntryType::symlink) return Map{{"path", entry.path}, {"target", entry.target}};
  return Map{{"path", entry.path},
             {"mode", entry.type == EntryType::executable ? 0755 : 0644},
             {"content", entry.digest},
             {"size", entry.size}};
}

}  // namespace

ReleaseEntries add_release_entries(Lowering& to, const std::string& repository, const SourceTree& source,
                                   const std::string& reserved) {
  ReleaseEntries result;
  if (source.entries.size() > most_entries) {
    to.problem("/spec/source", "the release has " + std::to_string(source.entries.size()) + " files, more than 100,000",
               "name the folder that is needed as \"spec.folder\"");
    return result;
  }
  int faults = 0;
  for (const SourceEntry& entry : source.entries) {
    if (entry.path == reserved || entry.path.starts_with(reserved + "/")) {
      to.problem("/spec/revisionFile", "the release has a \"" + reserved + "\" already, where the commit id is to go",
                 "say another name as \"spec.revisionFile\"");
    }
    Fault fault = fault_of(entry);
    if (!fault.what.empty() && ++faults <= most_problems) {
      to.problem("/spec/source", std::move(fault.what), std::move(fault.hint));
    }
    if (entry.type == EntryType::file || entry.type == EntryType::executable) {
      Content content;
      content.size = entry.size;
      content.repository = repository;
      content.object = entry.object;
      to.draft.contents.try_emplace(entry.digest, std::move(content));
    }
    result.entries.push_back(carried(entry));
  }
  result.digest = tree_digest(result.entries);
  return result;
}

}  // namespace holdfast
