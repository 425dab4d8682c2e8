#include <manifests/variables.hpp>

#include <manifests/document.hpp>
#include <manifests/json.hpp>
#include <manifests/text.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t longest_text = 256U << 10U;
constexpr std::size_t longest_spec = 1U << 20U;

bool is_name_character(char letter, bool first) {
  const bool alphabetic = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
  if (first || alphabetic) return alphabetic;
  return (letter >= '0' && letter <= '9') || letter == '.' || letter == '-';
}

/// A piece of a text: as it stands, a variable, or something that was meant to be one.
struct Piece {
  enum class Type { text, variable, mistake } type = Type::text;
  std::string text{};    // or the variable's name, or what is wrong
  std::string needle{};  // of a mistake: where it is
};

/// What begins with "${" at `at`; moves `at` behind it.
Piece read_variable(const std::string& text, std::size_t& at) {
  const std::size_t begin = at + 2;
  const std::size_t name_begin = std::min(text.find_first_not_of(' ', begin), text.size());
  std::size_t end = name_begin;
  while (end < text.size() && is_name_character(text[end], end == name_begin)) ++end;
  const std::string name = text.substr(name_begin, end - name_begin);
  if (!name.empty() && end < text.size() && text[end] == '}' && name_begin == begin) {
    at = end + 1;
    return {Piece::Type::variable, name, ""};
  }
  const std::size_t closing = text.find_first_of("}\n", begin);
  const bool closed = closing != std::string::npos && text[closing] == '}';
  at = begin;
  const std::string begun = "${" + text.substr(begin, std::min<std::size_t>(end - begin, 40));
  if (!closed) return {Piece::Type::mistake, "unclosed \"" + begun + "\"", begun};
  const bool spaced =
      !name.empty() && (name_begin > begin || text[end] == ' ') && text.find_first_not_of(' ', end) == closing;
  if (spaced) return {Piece::Type::mistake, "space inside \"${" + text.substr(begin, closing - begin) + "}\"", begun};
  return {Piece::Type::text, "${", ""};
}

std::vector<Piece> pieces_of(const std::string& text) {
  std::vector<Piece> pieces;
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t dollar = text.find("${", at);
    plain += text.substr(at, dollar == std::string::npos ? dollar : dollar - at);
    if (dollar == std::string::npos) break;
    at = dollar;
    if (plain.ends_with('$')) {
      plain.pop_back();
      plain += "${";
      at += 2;
      continue;
    }
    Piece piece = read_variable(text, at);
    if (piece.type == Piece::Type::text) {
      plain += piece.text;
      continue;
    }
    if (!plain.empty()) pieces.push_back({Piece::Type::text, std::move(plain), ""});
    plain.clear();
    pieces.push_back(std::move(piece));
  }
  if (!plain.empty()) pieces.push_back({Piece::Type::text, std::move(plain), ""});
  return pieces;
}

class Expander {
 public:
  Expander(const Map& variables, std::vector<Finding>& findings) : variables_(variables), findings_(findings) {}

  Value expand(const Value& value, const std::string& pointer) {
    if (value.is_text()) return has_variables(value.as_text()) ? text(value.as_text(), pointer) : value;
    if (value.is_list()) {
      List list;
      for (std::size_t index = 0; index < value.as_list().size(); ++index) {
        list.push_back(expand(value.as_list()[index], pointer + "/" + std::to_string(index)));
      }
      return list;
    }
    if (!value.is_map()) return value;
    Map map;
    for (const auto& [key, member] : value.as_map()) map[key] = expand(member, pointer + "/" + pointer_segment(key));
    return map;
  }

 private:
  Value text(const std::string& written, const std::string& pointer) {
    const std::vector<Piece> pieces = pieces_of(written);
    if (pieces.size() == 1 && pieces[0].type == Piece::Type::variable) {
      const Value* variable = lookup(pieces[0].text, pointer);
      return variable == nullptr ? Value(written) : *variable;
    }
    std::string result;
    for (const Piece& piece : pieces) {
      if (piece.type == Piece::Type::mistake) {
        findings_.push_back(
            {pointer, piece.text, "write ${name}, or $${ for the text itself", Finding::Place::value, piece.needle});
      } else if (piece.type == Piece::Type::variable) {
        const Value* variable = lookup(piece.text, pointer);
        if (variable != nullptr) result += variable->is_text() ? variable->as_text() : to_json(*variable);
      } else {
        result += piece.text;
      }
    }
    total_ += result.size();
    if (result.size() <= longest_text && total_ <= longest_spec) return result;
    findings_.push_back({pointer, "\"" + dotted(pointer) + "\" becomes too long with its variables",
                         "at most " + std::to_string(longest_text) + " bytes are taken", Finding::Place::value, ""});
    return Value("");
  }

  const Value* lookup(const std::string& name, const std::string& pointer) {
    const auto found = variables_.find(name);
    if (found != variables_.end()) return &found->second;
    std::vector<std::string> known;
    for (const auto& [other, value] : variables_) known.push_back(other);
    std::string hint = nearest_hint(name, known);
    if (hint.empty())
      hint = "define it in the vars of the environment or host, or write $${" + name + "} for the text itself";
    findings_.push_back(
        {pointer, "undefined variable \"${" + name + "}\"", hint, Finding::Place::value, "${" + name + "}"});
    return nullptr;
  }

  const Map& variables_;
  std::vector<Finding>& findings_;
  std::size_t total_ = 0;
};

}  // namespace

Expansion expand_variables(const Value& value, const Map& variables, const std::string& pointer) {
  Expansion expansion;
  expansion.value = Expander(variables, expansion.findings).expand(value, pointer);
  return expansion;
}

std::set<std::string> used_variables(const Value& value) {
  std::set<std::string> names;
  if (value.is_text() && has_variables(value.as_text())) {
    for (const Piece& piece : pieces_of(value.as_text())) {
      if (piece.type == Piece::Type::variable) names.insert(piece.text);
    }
  }
  if (value.is_list()) {
    for (const Value& item : value.as_list()) names.merge(used_variables(item));
  }
  if (value.is_map()) {
    for (const auto& [key, member] : value.as_map()) names.merge(used_variables(member));
  }
  return names;
}

bool has_variables(const std::string& text) { return text.find("${") != std::string::npos; }

}  // namespace holdfast
