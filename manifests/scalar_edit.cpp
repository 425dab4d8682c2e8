#include <manifests/scalar_edit.hpp>

#include <manifests/document.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace holdfast {

namespace {

constexpr std::size_t none = std::string::npos;

/// What is replaced, in bytes, and whether it was a block scalar ("|").
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool block = false;
  std::size_t indent = 0;  // of a block's lines
};

std::string unescaped(std::string segment) {
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"~1", "/"}, {"~0", "~"}}) {
    for (std::size_t at = segment.find(from); at != none; at = segment.find(from, at + 1)) {
      segment.replace(at, 2, to);
    }
  }
  return segment;
}

std::vector<std::string> segments_of(const std::string& pointer) {
  std::vector<std::string> segments;
  for (std::size_t at = 0; at < pointer.size();) {
    const std::size_t next = std::min(pointer.find('/', at + 1), pointer.size());
    segments.push_back(unescaped(pointer.substr(at + 1, next - at - 1)));
    at = next;
  }
  return segments;
}

Value with(Value root, const std::vector<std::string>& segments, const Value& value) {
  Value* at = &root;
  for (const std::string& segment : segments) {
    if (!at->is_map()) throw Error("only members of maps can be set, not \"" + segment + "\"");
    at = &(*at)[segment];
  }
  *at = value;
  return root;
}

/// Lines and columns count from 1, columns in characters.
std::size_t offset_of(const std::string& text, const Position& position) {
  std::size_t at = 0;
  for (int line = 1; line < position.line; ++line) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  for (int column = 1; column < position.column && at < text.size(); ++column) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
  }
  return at;
}

std::size_t line_begin(const std::string& text, std::size_t at) {
  const std::size_t end = at == 0 ? none : text.rfind('\n', at - 1);
  return end == none ? 0 : end + 1;
}

std::size_t line_end(const std::string& text, std::size_t at) { return std::min(text.find('\n', at), text.size()); }

/// Whether the key is the first in its line: then its map is written in lines, else in braces.
bool begins_line(const std::string& text, std::size_t key) {
  const std::size_t begin = line_begin(text, key);
  return text.find_first_not_of(" -", begin) >= key;
}

std::size_t end_of_quoted(const std::string& text, std::size_t begin) {
  const char quote = text[begin];
  for (std::size_t at = begin + 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 == text.size() || text[at + 1] != '\'') return at + 1;
      ++at;
    }
  }
  throw Error("the text has no closing quote");
}

std::size_t indent_of(const std::string& text, std::size_t line) {
  const std::size_t first = text.find_first_not_of(' ', line);
  return first == none ? none : first - line;
}

/// A block scalar: its header, and all lines that are empty or further to the right than its key.
Span block_span(const std::string& text, std::size_t begin, std::size_t key_indent) {
  Span span{.begin = begin, .end = begin, .block = true};
  std::size_t line = line_end(text, begin) + 1;
  std::size_t end = line;
  for (; line < text.size(); line = line_end(text, line) + 1) {
    const std::size_t indent = indent_of(text, line);
    const bool blank = indent == none || text[line + indent] == '\n';
    if (!blank && indent <= key_indent) break;
    if (!blank && span.indent == 0) span.indent = indent;
    end = std::min(line_end(text, line) + 1, text.size());
  }
  span.end = std::min(end, text.size());
  if (span.indent == 0) span.indent = key_indent + 2;
  return span;
}

std::size_t end_of_plain(const std::string& text, std::size_t begin, bool in_braces) {
  std::size_t end = line_end(text, begin);
  if (const std::size_t comment = text.find(" #", begin); comment < end) end = comment;
  if (in_braces) end = std::min(end, text.find_first_of(",]}", begin));
  while (end > begin && text[end - 1] == ' ') --end;
  return end;
}

Span value_span(const std::string& text, std::size_t key) {
  std::size_t at = text[key] == '"' || text[key] == '\'' ? end_of_quoted(text, key) : key;
  do {
    at = text.find(':', at);
    if (at == none) throw Error("no value follows the key");
    ++at;
  } while (at < text.size() && text[at] != ' ' && text[at] != '\n');
  at = text.find_first_not_of(" \n", at);
  if (at == none) throw Error("no value follows the key");
  const bool lines = begins_line(text, key);
  if (text[at] == '"' || text[at] == '\'') return {.begin = at, .end = end_of_quoted(text, at)};
  if (text[at] == '|' || text[at] == '>') return block_span(text, at, key - line_begin(text, key));
  if (text[at] == '[' || text[at] == '{') throw Error("a list or a map stands there");
  return {.begin = at, .end = end_of_plain(text, at, !lines)};
}

bool fits_block(const std::string& text) {
  if (text.empty() || text.find_first_of(" \n\t") == 0) return false;
  return std::ranges::all_of(text,
                             [](char c) { return c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= ' '; });
}

/// A text in lines, as `|` has it.
std::string in_block(const std::string& text, std::size_t indent) {
  const std::size_t last = text.find_last_not_of('\n');
  const std::size_t ends = text.size() - last - 1;
  std::string block = ends == 0 ? "|-\n" : ends == 1 ? "|\n" : "|+\n";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = line_end(text, at);
    if (end > at) block += std::string(indent, ' ') + text.substr(at, end - at);
    block += '\n';
    at = end + 1;
  }
  return block;
}

std::string written(const Value& value, const Span& span) {
  if (value.is_text() && span.block && fits_block(value.as_text())) return in_block(value.as_text(), span.indent);
  return to_json(value) + (span.block ? "\n" : "");
}

std::string replaced(const std::string& bytes, std::size_t key, const Value& value) {
  const Span span = value_span(bytes, key);
  return bytes.substr(0, span.begin) + written(value, span) + bytes.substr(span.end);
}

/// Before the first member of the map that it belongs to.
std::string inserted(const std::string& bytes, std::size_t first, const std::string& name, const Value& value) {
  const std::string member = name + ": " + to_json(value);
  const bool lines = begins_line(bytes, first);
  const std::string indent(first - line_begin(bytes, first), ' ');
  return bytes.substr(0, first) + member + (lines ? "\n" + indent : ", ") + bytes.substr(first);
}

/// The place of the first key of the map at `pointer`.
std::optional<std::size_t> first_key(const std::string& bytes, const Document& document, const std::string& pointer) {
  std::optional<std::size_t> first;
  for (const auto& [member, place] : document.keys) {
    if (!member.starts_with(pointer + "/") || member.find('/', pointer.size() + 1) != none) continue;
    const std::size_t at = offset_of(bytes, {"", place.first, place.second});
    if (!first || at < *first) first = at;
  }
  return first;
}

}  // namespace

std::string with_member(const std::string& file, const std::string& bytes, std::size_t document,
                        const std::string& pointer, const Value& value) {
  const Parsed before = parse_documents(file, bytes);
  if (!before.problems.empty() || document >= before.documents.size()) throw Error("the manifest can't be read");
  if (bytes.find('\r') != none || bytes.starts_with("\xEF\xBB\xBF")) {
    throw Error("the file has line ends or marks of another system, which would be lost");
  }
  const Document& old = before.documents[document];
  const std::size_t slash = pointer.rfind('/');
  std::string after;
  if (const auto key = old.keys.find(pointer); key != old.keys.end()) {
    after = replaced(bytes, offset_of(bytes, {"", key->second.first, key->second.second}), value);
  } else {
    const auto first = first_key(bytes, old, pointer.substr(0, slash));
    if (!first) throw Error("there is no map to put \"" + dotted(pointer) + "\" into");
    after = inserted(bytes, *first, segments_of(pointer).back(), value);
  }
  const Parsed again = parse_documents(file, after);
  bool same = again.problems.empty() && again.documents.size() == before.documents.size();
  for (std::size_t i = 0; same && i < again.documents.size(); ++i) {
    const Value& was = before.documents[i].root;
    same = again.documents[i].root == (i == document ? with(was, segments_of(pointer), value) : was);
  }
  if (!same) throw Error("\"" + dotted(pointer) + "\" is written in a way that can't be changed in place");
  return after;
}

}  // namespace holdfast
