#include <controller/git/diff.hpp>

#include <controller/git/libgit.hpp>
#include <manifests/error.hpp>
#include <manifests/text.hpp>

namespace holdfast {

namespace {

int add_line(const git_diff_delta* /*delta*/, const git_diff_hunk* /*hunk*/, const git_diff_line* line, void* payload) {
  auto& diff = *static_cast<TextDiff*>(payload);
  if (line->origin == GIT_DIFF_LINE_FILE_HDR || line->origin == GIT_DIFF_LINE_BINARY) return 0;
  if (line->origin == GIT_DIFF_LINE_ADDITION) ++diff.added;
  if (line->origin == GIT_DIFF_LINE_DELETION) ++diff.removed;
  const bool has_sign = line->origin == GIT_DIFF_LINE_CONTEXT || line->origin == GIT_DIFF_LINE_ADDITION ||
                        line->origin == GIT_DIFF_LINE_DELETION;
  if (has_sign) diff.text += line->origin;
  diff.text.append(line->content, line->content_len);
  return 0;
}

}  // namespace

bool is_binary(const std::string& bytes) {
  if (bytes.find('\0') != std::string::npos) return true;
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint point = code_point_at(bytes, at);
    if (point.bytes == 0) return true;
    at += point.bytes;
  }
  return false;
}

TextDiff diff_texts(const std::string& from, const std::string& to) {
  start_libgit();
  TextDiff diff;
  git_diff_options options{};
  check_git(git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION), "comparing two texts");
  options.flags = GIT_DIFF_FORCE_TEXT;
  git_patch* raw = nullptr;
  check_git(git_patch_from_buffers(&raw, from.data(), from.size(), nullptr, to.data(), to.size(), nullptr, &options),
            "comparing two texts");
  const GitPatch patch(raw);
  check_git(git_patch_print(raw, add_line, &diff), "comparing two texts");
  return diff;
}

}  // namespace holdfast
