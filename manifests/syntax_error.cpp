#include <manifests/syntax_error.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace holdfast {

namespace {

struct Words {
  const char* message;
  const char* what;
  const char* hint;
};

constexpr std::array table = {
    Words{"illegal map value", "unexpected \":\"", "check the indentation, or quote the text"},
    Words{"illegal map key", "unexpected key", "check the indentation"},
    Words{"illegal block entry", "unexpected \"-\"", "check the indentation of the list"},
    Words{"end of map not found", "expected a key here", "check the indentation, and the quotes before it"},
    Words{"end of sequence not found", "expected a list item here", "check the indentation"},
    Words{"end of sequence flow not found", "expected \",\" or \"]\"",
          "quote texts that hold \":\", \",\", \"[\" or \"]\""},
    Words{"end of map flow not found", "expected \",\" or \"}\"", "quote texts that hold \":\", \",\", \"{\" or \"}\""},
    Words{"illegal flow end", "closing bracket that does not fit the open one", "close what was opened last"},
    Words{"illegal EOF in scalar", "unclosed quote", "close it, or take it away"},
    Words{"unknown token", "unexpected character", "quote texts that begin with @, `, % or another mark"},
    Words{"the referenced anchor is not defined", "aliases are not allowed", "write the value out"},
    Words{"bad file", "nested too deeply", "at most 32 levels"},
};

bool starts_token(const std::string& text, std::size_t at) {
  return at == 0 || std::string_view(" \t\n[{,:-").find(text[at - 1]) != std::string_view::npos;
}

/// Behind the quoted text that begins at `at`; npos where it never ends.
std::size_t behind_quoted(const std::string& text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 >= text.size() || text[at + 1] != quote) return at + 1;
      ++at;
    }
  }
  return std::string::npos;
}

std::size_t behind_block(const std::string& text, std::size_t at) {
  const std::size_t start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  const std::size_t indentation = text.find_first_not_of(" -", start) - start;
  for (std::size_t line = text.find('\n', at); line + 1 < text.size(); line = text.find('\n', line + 1)) {
    const std::size_t content = text.find_first_not_of(' ', line + 1);
    if (content == std::string::npos) return text.size();
    if (text[content] != '\n' && content - line - 1 <= indentation) return line;
  }
  return text.size();
}

/// The first quote from `from` on that is never closed.
std::optional<std::size_t> unclosed_quote(const std::string& text, std::size_t from) {
  for (std::size_t at = from; at < text.size();) {
    const char letter = text[at];
    const bool starts = starts_token(text, at);
    if (letter == '#' && starts) {
      at = std::min(text.find('\n', at), text.size());
    } else if ((letter == '|' || letter == '>') && starts) {
      at = behind_block(text, at);
    } else if ((letter == '"' || letter == '\'') && starts) {
      const std::size_t end = behind_quoted(text, at);
      if (end == std::string::npos) return at;
      at = end;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

std::optional<Problem> tab_problem(const SourceText& source, const SyntaxError& error) {
  const int first = source.position(error.last_event).line;
  const int last = source.position(error.offset).line;
  for (int line = std::max(first, last - 100); line <= last; ++line) {
    const std::size_t tab = source.tab_in_indentation(line);
    if (tab != std::string::npos) return source.problem(tab, "tab in the indentation", "indent with spaces");
  }
  return std::nullopt;
}

}  // namespace

Problem explain_syntax_error(const SourceText& source, const SyntaxError& error) {
  if (error.message == "illegal document indicator in scalar" || error.message == "illegal EOF in scalar") {
    const auto quote = unclosed_quote(source.text(), error.last_event);
    return source.problem(quote.value_or(error.last_event), "unclosed quote", "close it, or take it away");
  }
  if (auto tab = tab_problem(source, error)) return *tab;
  // Inside brackets nothing but their end can be missing, and where they began tells more than where hope was lost.
  const bool missing_end = error.message.find("flow not found") != std::string::npos;
  if (missing_end && !error.open_flow.empty()) {
    const std::size_t opened = error.open_flow.back();
    const std::string bracket(1, source.text()[std::min(opened, source.text().size() - 1)]);
    Problem found = source.problem(opened, "unclosed \"" + bracket + "\"",
                                   "close it, and quote texts that hold \":\", \",\" or brackets");
    found.also.push_back(source.position(error.offset));
    return found;
  }
  for (const Words& words : table) {
    if (error.message == words.message) return source.problem(error.offset, words.what, words.hint);
  }
  return source.problem(error.offset, error.message.empty() ? "invalid YAML" : error.message);
}

}  // namespace holdfast
