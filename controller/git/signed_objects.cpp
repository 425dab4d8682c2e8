#include <controller/git/signed_objects.hpp>

#include <manifests/problem.hpp>

#include <array>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t max_signed_bytes = 1U << 20U;

constexpr std::array<std::string_view, 4> armor = {"-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----",
                                                   "-----BEGIN SIGNED MESSAGE-----", "-----BEGIN SSH SIGNATURE-----"};

bool begins_signature(std::string_view line) {
  for (const std::string_view head : armor) {
    if (line.starts_with(head)) return true;
  }
  return false;
}

/// The object's own bytes; nullopt where it is another kind of object, missing, or too large.
std::optional<std::string> raw_bytes(git_repository* repository, const git_oid& id, git_object_t kind) {
  git_odb* raw_odb = nullptr;
  check_git(git_repository_odb(&raw_odb, repository), "opening the mirror's objects");
  const GitOdb odb(raw_odb);
  std::size_t size = 0;
  git_object_t found = GIT_OBJECT_INVALID;
  if (git_odb_read_header(&size, &found, raw_odb, &id) != 0 || found != kind || size > max_signed_bytes)
    return std::nullopt;
  git_odb_object* raw = nullptr;
  if (git_odb_read(&raw, raw_odb, &id) != 0) return std::nullopt;
  const GitOdbObject object(raw);
  return std::string(static_cast<const char*>(git_odb_object_data(raw)), git_odb_object_size(raw));
}

std::string message_of(const std::string& payload) {
  const std::size_t begin = payload.find("\n\n");
  return begin == std::string::npos ? "" : payload.substr(begin + 2);
}

std::string taken(git_buf& buffer) {
  std::string text(buffer.ptr == nullptr ? "" : buffer.ptr, buffer.size);
  git_buf_dispose(&buffer);
  return text;
}

}  // namespace

SignedBytes split_signature(const std::string& bytes) {
  std::size_t parts = bytes.size();
  for (std::size_t line = 0; line < bytes.size();) {
    if (begins_signature(std::string_view(bytes).substr(line))) parts = line;
    const std::size_t end = bytes.find('\n', line);
    line = end == std::string::npos ? bytes.size() : end + 1;
  }
  return {bytes.substr(0, parts), bytes.substr(parts)};
}

std::optional<TagObject> read_tag_object(git_repository* repository, const std::string& reference) {
  int valid = 0;
  if (git_reference_name_is_valid(&valid, reference.c_str()) != 0 || valid == 0) return std::nullopt;
  git_reference* raw_reference = nullptr;
  if (git_reference_lookup(&raw_reference, repository, reference.c_str()) != 0) return std::nullopt;
  const GitReference found(raw_reference);
  const git_oid* id = git_reference_target(raw_reference);
  if (id == nullptr) return std::nullopt;
  const auto bytes = raw_bytes(repository, *id, GIT_OBJECT_TAG);
  git_tag* raw = nullptr;
  if (!bytes || git_tag_lookup(&raw, repository, id) != 0) return std::nullopt;
  const GitTag parsed(raw);
  TagObject tag;
  tag.id = to_text(*id);
  if (git_tag_target_type(raw) == GIT_OBJECT_COMMIT) tag.commit = to_text(*git_tag_target_id(raw));
  tag.name = git_tag_name(raw);
  if (const git_signature* tagger = git_tag_tagger(raw)) {
    tag.tagger = printable(std::string(tagger->name) + " <" + tagger->email + ">");
    tag.time = tagger->when.time;
  }
  tag.signed_bytes = split_signature(*bytes);
  tag.message = message_of(tag.signed_bytes.payload);
  return tag;
}

std::optional<SignedBytes> read_commit_signature(git_repository* repository, const std::string& commit) {
  git_oid id = object_id(commit);
  git_buf signature = GIT_BUF_INIT;
  git_buf payload = GIT_BUF_INIT;
  const int code = git_commit_extract_signature(&signature, &payload, repository, &id, nullptr);
  SignedBytes found{taken(payload), taken(signature)};
  if (code == GIT_ENOTFOUND) return std::nullopt;
  check_git(code, "reading the signature of commit " + commit);
  return found;
}

}  // namespace holdfast
