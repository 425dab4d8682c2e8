#include <controller/cli/provenance.hpp>

#include <controller/git/last_change.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>
#include <manifests/document.hpp>
#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <manifests/json.hpp>

namespace holdfast {

namespace {

constexpr std::size_t most_files = 20;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

bool is_of(const Document& document, const std::string& resource) {
  const Value* metadata = document.root.find("metadata");
  if (metadata == nullptr) return false;
  return document.root.text_or("kind", "") + "/" + metadata->text_or("name", "") == resource;
}

/// Every text of a value that may be a path beside the manifest.
void collect_paths(const Value& value, std::vector<std::string>& paths) {
  if (value.is_text() && is_relative_path(value.as_text())) paths.push_back(value.as_text());
  if (value.is_list()) {
    for (const Value& one : value.as_list()) collect_paths(one, paths);
  }
  if (value.is_map()) {
    for (const auto& [key, one] : value.as_map()) collect_paths(one, paths);
  }
}

std::string words_of(const Commit& commit) {
  const std::string name = one_line(commit.author.substr(0, commit.author.find(" <")));
  return commit.id.substr(0, 12) + " \"" + one_line(commit.summary) + "\" (" + name + ", " +
         utc_text(commit.time * 1000).substr(0, 10) + ")";
}

}  // namespace

/// What is looked at in every commit: a document of a file, and files.
struct Provenance::Thing {
  Origin origin{};
  std::vector<std::string> files{};
};

Asked Provenance::asked(const Origin& origin, bool gone, const std::string& live) {
  const std::string key = origin.resource + "\n" + origin.position.file + (gone ? "\ngone" : "");
  auto known = found_.find(key);
  if (known == found_.end()) known = found_.emplace(key, find(origin, gone)).first;
  if (!known->second) return {};
  return {.by = words_of(*known->second), .is_live = !live.empty() && mirror_.is_ancestor(known->second->id, live)};
}

std::optional<Commit> Provenance::find(const Origin& origin, bool gone) {
  try {
    const Thing thing{origin, gone ? std::vector<std::string>() : files_of(origin)};
    return last_change(mirror_, head_, [&](const std::string& commit) { return look(thing, commit); });
  } catch (const Error&) {
    return std::nullopt;  // a reason less; the plan is told all the same
  }
}

std::string Provenance::look(const Thing& thing, const std::string& commit) {
  const std::string blob = mirror_.object_at(commit, thing.origin.position.file);
  std::string text = blob.empty() ? "" : document_of(thing.origin.resource, blob);
  if (text.empty()) return "";
  for (const std::string& file : thing.files) text += "\n" + mirror_.object_at(commit, file);
  return text;
}

/// The document's canonical text, so that comments and its neighbours don't count.
std::string Provenance::document_of(const std::string& resource, const std::string& blob) {
  const auto [known, added] = documents_.try_emplace(resource + "\n" + blob);
  if (!added) return known->second;
  const DocumentLimits limits;
  for (const Document& document : parse_documents("", mirror_.blob(blob, limits.bytes)).documents) {
    if (is_of(document, resource)) known->second = to_json(document.root);
  }
  return known->second;
}

std::vector<std::string> Provenance::files_of(const Origin& origin) {
  const std::string blob = mirror_.object_at(head_, origin.position.file);
  const std::string text = blob.empty() ? "" : document_of(origin.resource, blob);
  if (text.empty()) return {};
  const Value document = from_json(text);
  const Value* spec = document.find("spec");
  if (spec == nullptr) return {};
  if (origin.resource.starts_with("Release/") && spec->text_or("source", "self") == "self") {
    return {""};  // the commit is the release
  }
  std::vector<std::string> paths;
  collect_paths(*spec, paths);
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    const std::string file = folder_of(origin.position.file) + path;
    if (files.size() < most_files && !mirror_.object_at(head_, file).empty()) files.push_back(file);
  }
  return files;
}

}  // namespace holdfast
