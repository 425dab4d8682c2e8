#include <controller/git/release_sources.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <manifests/text.hpp>

namespace holdfast {

namespace {

constexpr std::size_t max_source_file_bytes = 256U << 20U;
constexpr std::size_t max_link_bytes = 4096;
constexpr std::size_t most_missed = 1'000;

std::string describe(const SourceRevision& revision) {
  if (!revision.commit.empty()) return "commit \"" + printable(revision.commit) + "\"";
  if (!revision.tag.empty()) return "tag \"" + printable(revision.tag) + "\"";
  return "branch \"" + printable(revision.branch) + "\"";
}

std::optional<std::string> find_revision(const Mirror& mirror, const SourceRevision& revision) {
  if (!revision.commit.empty()) {
    return mirror.commit(revision.commit) ? std::optional(revision.commit) : std::nullopt;
  }
  return revision.tag.empty() ? mirror.branch(revision.branch) : mirror.tag(revision.tag);
}

bool is_empty(const SourceRevision& revision) {
  return revision.commit.empty() && revision.tag.empty() && revision.branch.empty();
}

}  // namespace

GitReleaseSources::GitReleaseSources(const Mirror& self, const std::string& self_folder, ReleaseSourcesOptions options)
    : options_(std::move(options)) {
  Repository own;
  own.mirror = &self;
  own.digests = std::make_unique<DigestCache>(self_folder + "/holdfast-digests");
  repositories_.emplace("self", std::move(own));
}

GitReleaseSources::Repository& GitReleaseSources::repository(const std::string& name) {
  const auto known = repositories_.find(name);
  if (known != repositories_.end()) return known->second;
  Remote remote{.url = name};
  if (options_.remote_for) remote = options_.remote_for(name);
  const std::string folder = options_.folder + "/" + sha256(name).substr(0, 32);
  Repository other;
  other.owned = Mirror::open(folder, remote, options_.mirror);
  other.mirror = other.owned.get();
  other.digests = std::make_unique<DigestCache>(folder + "/holdfast-digests");
  return repositories_.emplace(name, std::move(other)).first->second;
}

bool GitReleaseSources::refresh(const std::string& name, Repository& repository) {
  if (repository.owned == nullptr) return false;
  const auto now = options_.now();
  if (repository.was_fetched && now - repository.fetched < options_.refresh) return false;
  fetch(name, repository);
  return true;
}

void GitReleaseSources::fetch(const std::string& name, Repository& repository) {
  repository.was_fetched = true;
  repository.fetched = options_.now();
  repository.problem.clear();
  try {
    repository.owned->fetch(std::chrono::steady_clock::now() + options_.fetch_timeout);
  } catch (const Error& error) {
    repository.problem = error.what();
    notes_.push_back("\"" + printable(name) + "\" is taken as it was fetched last: " + repository.problem);
  }
}

/// A tag is often pushed right before the commit that names it: what was never asked for is worth a fetch at once. What
/// is not there then waits for the next interval, or a commit that names nothing would fetch with every poll.
bool GitReleaseSources::may_have_come(Repository& repository, const SourceRevision& revision) {
  if (repository.owned == nullptr) return false;
  if (repository.missed.size() == most_missed) repository.missed.clear();
  return repository.missed.insert(describe(revision)).second;
}

std::string GitReleaseSources::commit_of(const std::string& name, const SourceRevision& revision) {
  if (is_empty(revision)) {
    if (name != "self")
      throw Error("a release of \"" + printable(name) + "\" needs a revision: a tag, a branch or a commit");
    if (commit_.empty()) throw Error("the tracked commit is not known");
    return commit_;
  }
  Repository& source = repository(name);
  if (!revision.commit.empty()) {
    if (!is_object_id(revision.commit)) throw Error("expected a full commit id, found " + describe(revision));
    if (const auto found = find_revision(*source.mirror, revision)) return *found;
  }
  const bool fresh = refresh(name, source);
  if (auto found = find_revision(*source.mirror, revision)) return *found;
  if (!fresh && may_have_come(source, revision)) {
    fetch(name, source);
    if (auto found = find_revision(*source.mirror, revision)) return *found;
  }
  if (!source.problem.empty()) throw Error(source.problem);
  throw Error("\"" + printable(name) + "\" has no " + describe(revision));
}

std::string GitReleaseSources::digest_of(Repository& repository, const TreeEntry& entry) {
  if (const auto known = repository.digests->find(entry.id)) return *known;
  const std::string bytes = repository.mirror->blob(entry.id, max_source_file_bytes);
  if (is_lfs_pointer(bytes)) {
    throw Error("\"" + printable(entry.path) +
                "\" is a Git LFS pointer: its content is not in the repository; commit the file itself");
  }
  const std::string digest = sha256(bytes);
  repository.digests->add(entry.id, digest);
  return digest;
}

SourceEntry GitReleaseSources::entry_of(Repository& repository, const TreeEntry& entry, std::size_t prefix) {
  SourceEntry source{.path = entry.path.substr(prefix), .type = entry.type, .object = entry.id, .size = entry.size};
  if (entry.type == EntryType::symlink) {
    source.target = repository.mirror->blob(entry.id, max_link_bytes);
    if (source.target.empty() || source.target.find('\0') != std::string::npos) {
      throw Error("the symbolic link \"" + printable(entry.path) + "\" has no usable target");
    }
  } else if (entry.type != EntryType::submodule) {
    source.digest = digest_of(repository, entry);
  }
  return source;
}

SourceTree GitReleaseSources::resolve(const std::string& name, const SourceRevision& revision,
                                      const std::string& folder) {
  Repository& source = repository(name);
  SourceTree result;
  result.commit = commit_of(name, revision);
  const std::unique_ptr<Tree> tree = source.mirror->tree(result.commit);
  const std::vector<TreeEntry> leaves = tree->list(folder);
  if (leaves.empty()) {
    throw Error("commit " + result.commit + " of \"" + printable(name) + "\" has " +
                (folder.empty() ? "no files" : "no folder \"" + printable(folder) + "\""));
  }
  std::size_t prefix = folder.find_last_not_of('/');
  prefix = prefix == std::string::npos ? 0 : prefix + 2;
  for (const TreeEntry& entry : leaves) {
    result.entries.push_back(entry_of(source, entry, prefix));
  }
  source.digests->save();
  return result;
}

std::string GitReleaseSources::bytes(const std::string& name, const std::string& object, std::size_t max_bytes) {
  return repository(name).mirror->blob(object, max_bytes);
}

std::vector<std::string> GitReleaseSources::take_notes() { return std::exchange(notes_, {}); }

}  // namespace holdfast
