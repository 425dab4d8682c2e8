#include <reconcilers/kinds/kind.hpp>
#include <reconcilers/kinds/release_tree.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <manifests/json.hpp>

#include <optional>

namespace holdfast {

namespace {

/// The folder that a path lies in: "/opt" for "/opt/app", "/" for "/app".
std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_repository_url(const std::string& url) {
  for (const char letter : url) {
    if (letter <= ' ' || letter == 0x7F) return false;
  }
  for (const char* scheme : {"https://", "ssh://", "file:///"}) {
    if (url.starts_with(scheme)) return true;
  }
  const std::size_t colon = url.find(':');
  const bool like_scp = colon != std::string::npos && url.find('@') < colon && url.find("::") == std::string::npos;
  return !url.starts_with('-') && (url.starts_with('/') || like_scp);
}

std::optional<SourceRevision> read_revision(Lowering& to, const std::string& source) {
  const Value* written = to.spec().find("revision");
  SourceRevision revision;
  if (source == "self") {
    if (written == nullptr) return revision;
    to.problem("/spec/revision", "\"source: self\" is the commit that is applied, it takes no \"revision\"",
               "take \"revision\" away, or name the repository's URL as \"source\"");
    return std::nullopt;
  }
  if (!is_repository_url(source)) {
    to.problem("/spec/source", "\"" + source + "\" is no URL of a git repository",
               "write \"self\" or an https, ssh or file URL");
    return std::nullopt;
  }
  if (written == nullptr || written->as_map().size() != 1) {
    to.problem(written == nullptr ? "/spec/source" : "/spec/revision",
               "expected exactly one of \"tag\", \"branch\" and \"commit\" in \"spec.revision\"",
               "write for instance \"revision: {tag: v1.4.2}\"");
    return std::nullopt;
  }
  revision.tag = written->text_or("tag", "");
  revision.branch = written->text_or("branch", "");
  revision.commit = written->text_or("commit", "");
  if (!revision.commit.empty() && !is_object_id(revision.commit)) {
    to.problem("/spec/revision/commit", "\"" + revision.commit + "\" is no full commit id",
               "write all of its 40 lower-case hexadecimal digits");
    return std::nullopt;
  }
  return revision;
}

std::optional<SourceTree> resolve(Lowering& to, const std::string& source) {
  const std::optional<SourceRevision> revision = read_revision(to, source);
  if (!revision) return std::nullopt;
  try {
    SourceTree tree = to.inputs().sources.resolve(source, *revision, to.spec().text_or("folder", ""));
    if (is_object_id(tree.commit)) return tree;
    to.problem("/spec/source", "\"" + source + "\" gave no commit");
  } catch (const Error& error) {
    const bool other = source != "self";
    to.problem(other                                 ? "/spec/revision"
               : to.spec().find("folder") != nullptr ? "/spec/folder"
                                                     : "/spec/source",
               error.what());
  }
  return std::nullopt;
}

Value environment_of(const Value& build) {
  Map environment;
  if (const Value* written = build.find("environment")) {
    for (const auto& [name, value] : written->as_map()) {
      environment[name] = to_scalar_text(value);
    }
  }
  return environment;
}

void add_build(Lowering& to, Wanted& tree, const std::string& owner) {
  const Value* written = to.spec().find("build");
  if (written == nullptr) return;
  const Value nothing = Map{};
  const Value& options = written->is_list() ? nothing : *written;
  Map build{{"steps", written->is_list() ? *written : options.at("steps")},
            {"environment", environment_of(options)},
            {"user", options.text_or("user", owner)}};
  // What a longer deadline builds is the same: it is no reason to build again.
  tree.attributes["built"] = sha256(to_json(build));
  build["timeout_ms"] = duration_ms(options.text_or("timeout", "10m"));
  tree.parameters["build"] = std::move(build);
}

void lower_release(Lowering& to) {
  const std::string& path = to.spec().at("path").as_text();
  const std::string source = to.spec().text_or("source", "self");
  const std::string fallback = (parent_of(path) == "/" ? "" : parent_of(path)) + "/releases";
  const std::string releases = to.spec().text_or("releases", fallback);
  const std::string revision_file = to.spec().text_or("revisionFile", "REVISION");
  const OwnerNames ownership = to.ownership();
  to.add(PrimitiveType::directory, releases, {{"owner", "root"}, {"group", "root"}, {"mode", 0755}});
  const std::optional<SourceTree> found = resolve(to, source);
  const std::string commit = found ? found->commit : "";
  const std::string folder = releases + "/" + (found ? commit : "unknown");
  if (found) {
    const ReleaseEntries entries = add_release_entries(to, source, *found, revision_file);
    Wanted& tree = to.add(PrimitiveType::tree, folder,
                          {{"digest", entries.digest}, {"owner", ownership.owner}, {"group", ownership.group}});
    tree.parameters = {{"entries", entries.entries},
                       {"revision_file", Map{{"name", revision_file}, {"text", commit + "\n"}}},
                       {"keep", to.spec().int_or("keep", 5)},
                       {"link", path}};
    add_build(to, tree, ownership.owner);
  }
  // Relative where it can be, so that it also leads there from outside of a root prefix.
  const std::string beside = path.substr(0, path.rfind('/') + 1);
  const std::string target = folder.starts_with(beside) ? folder.substr(beside.size()) : folder;
  Wanted& link = to.add(PrimitiveType::link, path, {{"target", target}});
  link.after.push_back({PrimitiveType::tree, folder});
  to.offer(link.id);
  to.draft.revision = commit;
}

}  // namespace

Kind release_kind() { return {"Release", lower_release}; }

}  // namespace holdfast
