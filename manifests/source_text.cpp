#include <manifests/source_text.hpp>

#include <manifests/text.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_problems = 20;

std::string encoding_of(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) return "UTF-16";
  const bool wide = bytes.size() > 3 && (bytes[0] == '\0') != (bytes[1] == '\0');
  return wide ? "UTF-16" : "";
}

}  // namespace

SourceText::SourceText(std::string file, std::string_view bytes) : file_(std::move(file)) {
  const std::string encoding = encoding_of(bytes);
  if (!encoding.empty()) {
    problems_.push_back({{file_, 1, 1}, "the file is " + encoding + " (seen at byte 0)", "save it as UTF-8", "", {}});
    return;
  }
  normalise(bytes);
  find_lines();
  check_characters();
  check_markers();
}

void SourceText::normalise(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  text_.reserve(bytes.size() + 1);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] == '\r' && at + 1 < bytes.size() && bytes[at + 1] == '\n') continue;
    text_ += bytes[at];
  }
  if (!text_.ends_with('\n')) text_ += '\n';
}

void SourceText::find_lines() {
  starts_.push_back(0);
  for (std::size_t at = 0; at + 1 < text_.size(); ++at) {
    if (text_[at] == '\n') starts_.push_back(at + 1);
  }
}

void SourceText::check_characters() {
  for (std::size_t at = 0; at < text_.size() && problems_.size() < most_problems;) {
    const CodePoint point = code_point_at(text_, at);
    if (point.bytes == 0) {
      problems_.push_back(problem(at, "invalid UTF-8 at byte " + std::to_string(at), "save the file as UTF-8"));
      at += 1;
    } else {
      if (is_hidden_character(point.value)) {
        problems_.push_back(problem(at, "forbidden character: " + describe_character(point.value),
                                    "take it out, or bring such content in a file with source:"));
      }
      at += point.bytes;
    }
  }
}

void SourceText::check_markers() {
  for (int number = 1; number <= static_cast<int>(starts_.size()); ++number) {
    const std::string_view content = line(number);
    const std::size_t start = starts_[static_cast<std::size_t>(number) - 1];
    const bool ends = content == "..." || content.starts_with("... ") || content.starts_with("...\t");
    if (ends) problems_.push_back(problem(start, "document end marker \"...\"", "separate documents with \"---\""));
    if (content.starts_with("%YAML") || content.starts_with("%TAG")) {
      problems_.push_back(problem(start, "YAML directives are not allowed", "take the line out"));
    }
    if (problems_.size() >= most_problems) return;
  }
}

bool SourceText::has_content() const {
  for (int number = 1; number <= static_cast<int>(starts_.size()); ++number) {
    std::string_view content = line(number);
    content.remove_prefix(std::min(content.find_first_not_of(" \t"), content.size()));
    if (!content.empty() && content != "---" && !content.starts_with('#')) return true;
  }
  return false;
}

Position SourceText::position(std::size_t offset) const {
  if (starts_.empty()) return {file_, 1, 1};
  offset = std::min(offset, text_.size() - 1);
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const auto number = static_cast<std::size_t>(after - starts_.begin());
  const std::size_t start = starts_[number - 1];
  if (counted_line_ != number || counted_to_ > offset) {
    counted_line_ = number;
    counted_to_ = start;
    counted_ = 0;
  }
  counted_ += static_cast<int>(count_characters(std::string_view(text_).substr(counted_to_, offset - counted_to_)));
  counted_to_ = offset;
  return {file_, static_cast<int>(number), counted_ + 1};
}

std::string_view SourceText::line(int number) const {
  if (number < 1 || number > static_cast<int>(starts_.size())) return {};
  const std::size_t start = starts_[static_cast<std::size_t>(number) - 1];
  return std::string_view(text_).substr(start, text_.find('\n', start) - start);
}

std::size_t SourceText::tab_in_indentation(int number) const {
  const std::string_view content = line(number);
  const std::size_t blank = std::min(content.find_first_not_of(" \t"), content.size());
  const std::size_t tab = content.substr(0, blank).find('\t');
  if (tab == std::string_view::npos || blank == content.size()) return std::string::npos;
  return starts_[static_cast<std::size_t>(number) - 1] + tab;
}

bool SourceText::begins_line(std::size_t offset) const {
  while (offset > 0 && text_[offset - 1] != '\n') {
    --offset;
    if (text_[offset] != ' ' && text_[offset] != '\t') return false;
  }
  return true;
}

Problem SourceText::problem(std::size_t offset, std::string what, std::string hint) const {
  Problem found;
  found.where = position(offset);
  found.what = std::move(what);
  found.hint = std::move(hint);
  return found;
}

std::string_view from_line(std::string_view bytes, int number) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  for (int line = 1; line < number && !bytes.empty(); ++line) {
    const std::size_t end = bytes.find('\n');
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return bytes;
}

std::string_view first_line(std::string_view bytes) {
  std::string_view line = bytes.substr(0, bytes.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void quote_line(Problem& problem, std::string_view bytes) {
  constexpr std::size_t longest_quoted = 4096;
  if (problem.where.line <= 0) return;
  const std::string_view line = first_line(from_line(bytes, problem.where.line));
  if (line.size() <= longest_quoted) problem.line_text = line;
}

}  // namespace holdfast
