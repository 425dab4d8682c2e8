#include <controller/git/written_sources.hpp>

#include <controller/git/mirror.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

namespace holdfast {

namespace {

SourceEntry written_entry(const TreeEntry& leaf, std::size_t prefix) {
  SourceEntry entry{.path = leaf.path.substr(prefix), .type = leaf.type, .object = leaf.id, .size = leaf.size};
  if (leaf.type == EntryType::symlink) {
    entry.target = "unread";
  } else {
    entry.digest = sha256(leaf.path);
  }
  return entry;
}

SourceTree elsewhere(const SourceRevision& revision) {
  SourceTree source{.commit = revision.commit.empty() ? no_commit() : revision.commit};
  source.entries.push_back({.path = "unread", .digest = sha256("")});
  return source;
}

}  // namespace

std::string no_commit() { return std::string(40, '0'); }

SourceTree WrittenSources::resolve(const std::string& repository, const SourceRevision& revision,
                                   const std::string& folder) {
  if (repository != "self") {
    if (auto refused = refuse_url(repository)) throw Error("\"" + printable(repository) + "\": " + *refused);
    return elsewhere(revision);
  }
  SourceTree source{.commit = no_commit()};
  for (const TreeEntry& leaf : tree_.list(folder)) {
    if (leaf.type == EntryType::submodule) continue;
    source.entries.push_back(written_entry(leaf, folder.empty() ? 0 : folder.size() + 1));
  }
  if (source.entries.empty()) throw Error("there is no folder \"" + printable(folder) + "\" in " + tree_.describe());
  return source;
}

}  // namespace holdfast
