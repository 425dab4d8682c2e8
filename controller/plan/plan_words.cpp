#include <controller/plan/plan_words.hpp>

#include <manifests/digest.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace holdfast {

namespace {

constexpr std::size_t short_id = 12;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool tells_secrets(const std::vector<Step>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const Step& step) {
    const auto flag = step.arguments.find("sensitive");
    return step.arguments.contains("secrets") || (flag != step.arguments.end() && flag->second != Value(false));
  });
}

bool is_plain_digest(const Attributes& attributes) {
  const auto content = attributes.find("content");
  return content == attributes.end() || (content->second.is_text() && is_sha256(content->second.as_text()));
}

}  // namespace

std::string one_line(const std::string& text) {
  std::string line = printable(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

std::string place_text(const Position& position) {
  return one_line(position.file) + (position.line > 0 ? ":" + std::to_string(position.line) : "");
}

std::string with_short_ids(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_hex(text[end])) ++end;
    const std::size_t length = end - at;
    const bool is_id = length == 40 || length == 64;
    result.append(text, at, is_id ? short_id : std::max<std::size_t>(length, 1));
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 10'000) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  std::array<char, 32> text{};
  const bool large = bytes >= 1'000'000;
  const double value = static_cast<double>(bytes) / (large ? 1048576.0 : 1024.0);
  std::snprintf(text.data(), text.size(), value < 10 ? "%.1f %s" : "%.0f %s", value, large ? "MiB" : "KiB");
  return text.data();
}

std::string attribute_text(std::string_view name, const Value* value) {
  if (value == nullptr) return "none";
  if (value->type() == Value::Type::integer && name == "mode") {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%04llo", static_cast<unsigned long long>(value->as_int()));
    return text.data();
  }
  if (value->is_text()) return value->as_text().empty() ? "\"\"" : with_short_ids(one_line(value->as_text()));
  if (!value->is_list()) return one_line(to_json(*value));
  std::string text;
  for (const Value& one : value->as_list()) text += (text.empty() ? "" : ", ") + attribute_text("", &one);
  return text.empty() ? "none" : text;
}

std::string join_with_and(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string number_of(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void tell_release_sizes(Plan& plan, const Bundle& bundle) {
  for (Action& action : plan.actions) {
    if (action.id.type != PrimitiveType::tree) continue;
    const auto wanted = std::ranges::find(bundle.wanted, action.id, &Wanted::id);
    if (wanted == bundle.wanted.end()) continue;
    const auto entries = wanted->parameters.find("entries");
    if (entries == wanted->parameters.end()) continue;
    std::int64_t bytes = 0;
    for (const Value& entry : entries->second.as_list()) bytes += entry.int_or("size", 0);
    for (Step& step : action.steps) {
      if (step.verb != "tree.put") continue;
      step.arguments["files"] = static_cast<std::int64_t>(entries->second.as_list().size());
      step.arguments["bytes"] = bytes;
    }
  }
}

std::vector<std::string> running_units(const Bundle& bundle) {
  std::vector<std::string> units;
  for (const Wanted& wanted : bundle.wanted) {
    const bool runs = Value(wanted.attributes).text_or("active", "") == "running";
    if (wanted.id.type == PrimitiveType::unit && runs) units.push_back(wanted.id.name);
  }
  return units;
}

bool is_sensitive(const Action& action) {
  return action.origin.resource.starts_with("EnvFile/") || tells_secrets(action.steps) || tells_secrets(action.undo) ||
         !is_plain_digest(action.from) || !is_plain_digest(action.to);
}

}  // namespace holdfast
