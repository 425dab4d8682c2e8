#include <controller/plan/content_view.hpp>

#include <controller/git/diff.hpp>
#include <controller/plan/plan_words.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <optional>

namespace holdfast {

namespace {

constexpr std::size_t max_shown_bytes = 256U << 10U;
constexpr std::size_t most_variables = 20;

std::string digest_text(const Attributes& attributes) {
  const Value state = attributes;
  const Value* size = state.find("size");
  return (size == nullptr ? "" : size_text(size->as_int()) + " ") + "sha256 " +
         one_line(state.text_or("content", "")).substr(0, 12);
}

std::string digests_summary(const Action& action) {
  if (!action.from.contains("content")) return "content " + digest_text(action.to);
  if (!action.to.contains("content")) return "content was " + digest_text(action.from);
  return "content " + digest_text(action.from) + " -> " + digest_text(action.to);
}

std::optional<std::string> new_bytes(const HostPlan& host, const std::string& digest) {
  if (!host.new_content) return std::nullopt;
  try {
    std::string bytes = host.new_content(digest);
    if (sha256(bytes) == digest) return bytes;
  } catch (const Error&) {
    // The digests are shown instead.
  }
  return std::nullopt;
}

/// The bytes of a state that may be shown; "" for what is not there.
std::optional<std::string> bytes_of(const HostPlan& host, const Attributes& attributes, bool is_new) {
  const std::string digest = Value(attributes).text_or("content", "");
  if (digest.empty()) return "";
  if (is_new) return new_bytes(host, digest);
  const auto old = host.old_contents.find(digest);
  return old == host.old_contents.end() ? std::nullopt : std::optional(old->second);
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 100 || (text.front() >= '0' && text.front() <= '9')) return false;
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
         std::string_view::npos;
}

/// The names, never the values, of an environment file's template.
std::string variables_of(const HostPlan& host, const Action& action) {
  std::string digest = Value(action.to).text_or("content", "");
  for (const Step& step : action.steps) {
    if (const auto found = step.arguments.find("template"); found != step.arguments.end())
      digest = found->second.as_text();
  }
  const std::string text = new_bytes(host, digest).value_or("");
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    const std::string_view name = line.substr(0, std::min(line.find('='), line.size()));
    if (name.size() < line.size() && is_name(name)) names.emplace_back(name);
    at = end + 1;
  }
  if (names.empty()) return "";
  if (names.size() > most_variables) {
    const std::size_t more = names.size() - most_variables;
    names.resize(most_variables);
    names.push_back(std::to_string(more) + " more");
  }
  return "; sets " + join_with_and(names);
}

}  // namespace

ContentView content_view(const HostPlan& host, const Action& action) {
  const std::string from = Value(action.from).text_or("content", "");
  const std::string to = Value(action.to).text_or("content", "");
  ContentView view;
  if (from == to) return view;
  if (const auto kept = host.kept_contents.find(to_text(action.id)); kept != host.kept_contents.end()) {
    return kept->second;
  }
  if (is_sensitive(action)) {
    view.kind = ContentView::Kind::hidden;
    const bool variables = action.origin.resource.starts_with("EnvFile/") && !to.empty();
    view.summary = "content changes (not shown)" + (variables ? variables_of(host, action) : "");
    return view;
  }
  const auto old_text = bytes_of(host, action.from, false);
  const auto new_text = bytes_of(host, action.to, true);
  const bool shown = old_text && new_text && old_text->size() <= max_shown_bytes &&
                     new_text->size() <= max_shown_bytes && !is_binary(*old_text) && !is_binary(*new_text);
  if (!shown) {
    view.kind = ContentView::Kind::digests;
    view.summary = digests_summary(action);
    return view;
  }
  const TextDiff diff = diff_texts(*old_text, *new_text);
  view.kind = ContentView::Kind::text;
  view.diff = printable(diff.text);
  view.added = diff.added;
  view.removed = diff.removed;
  view.summary = "+" + std::to_string(diff.added) + " -" + std::to_string(diff.removed);
  return view;
}

void keep_contents(HostPlan& host) {
  for (const Action& action : host.plan.actions) {
    if (action.id.type != PrimitiveType::file) continue;
    ContentView view = content_view(host, action);
    if (view.kind != ContentView::Kind::none) host.kept_contents[to_text(action.id)] = std::move(view);
  }
  host.old_contents.clear();
  host.new_content = {};
}

}  // namespace holdfast
