#include <manifests/diagnosis.hpp>

#include <manifests/formats.hpp>
#include <manifests/text.hpp>
#include <manifests/wording.hpp>

#include <algorithm>
#include <optional>
#include <regex>
#include <set>

namespace holdfast {

namespace {

// std::regex recurses for each character and overflows the stack on long texts.
constexpr std::size_t longest_matched = 1000;

std::vector<std::string> keys_of(const Value* map) {
  std::vector<std::string> keys;
  if (map == nullptr || !map->is_map()) return keys;
  for (const auto& [key, member] : map->as_map()) keys.push_back(key);
  return keys;
}

class Diagnosis {
 public:
  explicit Diagnosis(const Document& document) : document_(document) {}

  [[nodiscard]] std::vector<Finding> take() { return std::move(findings_); }

  void check(const Value& schema, const Value& value, const std::string& pointer) {
    if (!schema.is_map() || document_.refused.contains(pointer)) return;
    if (!check_type(schema, value, pointer)) return;
    check_choices(schema, value, pointer);
    if (value.is_text()) check_text(schema, value.as_text(), pointer);
    if (has_type(value, "number")) check_number(schema, value, pointer);
    if (value.is_list()) check_list(schema, value.as_list(), pointer);
    if (value.is_map()) check_map(schema, value, pointer);
    check_branches(schema, value, pointer);
  }

 private:
  void add(const std::string& pointer, const std::string& what, std::string hint = {}) {
    findings_.push_back({pointer, subject(pointer) + " " + what, std::move(hint), Finding::Place::value, ""});
  }

  static std::string subject(const std::string& pointer) {
    return pointer.empty() ? "the manifest" : "\"" + dotted(pointer) + "\"";
  }

  bool check_type(const Value& schema, const Value& value, const std::string& pointer) {
    const std::vector<std::string> types = schema_types(schema);
    const auto right = [&](const std::string& type) { return has_type(value, type); };
    if (types.empty() || std::any_of(types.begin(), types.end(), right)) return true;
    const auto written = document_.plain.find(pointer);
    add(pointer, "must be " + expected_words(schema) + ", not " + found_words(value),
        type_hint(schema, value, written == document_.plain.end() ? "" : written->second));
    return false;
  }

  void check_choices(const Value& schema, const Value& value, const std::string& pointer) {
    const Value* only = schema.find("const");
    const Value* choices = schema.find("enum");
    if (only != nullptr && *only != value)
      add(pointer, "must be " + scalar_words(*only) + ", not " + found_words(value));
    if (choices == nullptr) return;
    const List& list = choices->as_list();
    if (std::find(list.begin(), list.end(), value) != list.end()) return;
    std::vector<std::string> words;
    for (const Value& choice : list) words.push_back(choice.is_text() ? choice.as_text() : scalar_words(choice));
    const std::string hint = value.is_text() ? nearest_hint(value.as_text(), words) : "";
    add(pointer, "must be " + quoted_list(words, "or") + ", not " + scalar_words(value), hint);
  }

  void check_text(const Value& schema, const std::string& text, const std::string& pointer) {
    const auto length = static_cast<std::int64_t>(count_characters(text));
    const std::int64_t least = schema.int_or("minLength", 0);
    if (length < least) {
      add(pointer, length == 0 ? "must not be empty" : "must have at least " + std::to_string(least) + " characters");
    }
    const std::int64_t most = schema.int_or("maxLength", INT64_MAX);
    if (length > most) {
      add(pointer, "has " + std::to_string(length) + " characters, at most " + std::to_string(most) + " are taken");
    }
    if (const Value* pattern = schema.find("pattern")) check_pattern(schema, pattern->as_text(), text, pointer);
    if (const auto fault = format_fault(schema, text)) add(pointer, fault->what, fault->hint);
  }

  void check_pattern(const Value& schema, const std::string& pattern, const std::string& text,
                     const std::string& pointer) {
    if (text.size() > longest_matched) {
      add(pointer, "has more than " + std::to_string(longest_matched) + " bytes");
      return;
    }
    if (std::regex_search(text, std::regex(pattern))) return;
    const std::string expected = schema.text_or("x-expects", "a text that matches " + pattern);
    add(pointer, "must be " + expected + ", not " + scalar_words(text), schema.text_or("x-hint", ""));
  }

  void check_number(const Value& schema, const Value& value, const std::string& pointer) {
    const Value* least = schema.find("minimum");
    const Value* most = schema.find("maximum");
    const bool low = least != nullptr && value.as_real() < least->as_real();
    const bool high = most != nullptr && value.as_real() > most->as_real();
    if (!low && !high) return;
    if (least != nullptr && most != nullptr) {
      add(pointer,
          "must be between " + scalar_words(*least) + " and " + scalar_words(*most) + ", not " + scalar_words(value));
    } else {
      add(pointer, (low ? "must be at least " + scalar_words(*least) : "must be at most " + scalar_words(*most)) +
                       ", not " + scalar_words(value));
    }
  }

  void check_list(const Value& schema, const List& list, const std::string& pointer) {
    const auto size = static_cast<std::int64_t>(list.size());
    if (size < schema.int_or("minItems", 0)) add(pointer, size == 0 ? "must not be empty" : "has too few items");
    const std::int64_t most = schema.int_or("maxItems", INT64_MAX);
    if (size > most) {
      add(pointer, "has " + std::to_string(size) + " items, at most " + std::to_string(most) + " are taken");
      return;
    }
    if (schema.bool_or("uniqueItems", false)) check_unique(list, pointer);
    const Value* items = schema.find("items");
    for (std::size_t index = 0; items != nullptr && index < list.size(); ++index) {
      check(*items, list[index], pointer + "/" + std::to_string(index));
    }
  }

  void check_unique(const List& list, const std::string& pointer) {
    for (std::size_t index = 1; index < list.size(); ++index) {
      const auto end = list.begin() + static_cast<std::ptrdiff_t>(index);
      if (list[index].is_null() || std::find(list.begin(), end, list[index]) == end) continue;
      add(pointer + "/" + std::to_string(index), "is there twice: " + found_words(list[index]), "take one away");
    }
  }

  void check_map(const Value& schema, const Value& map, const std::string& pointer) {
    const Value* required = schema.find("required");
    for (const std::string& key : required == nullptr ? std::vector<std::string>() : required->as_texts()) {
      if (map.as_map().contains(key)) continue;
      findings_.push_back({pointer, subject(pointer) + " lacks the key \"" + key + "\"", lacking_hint(schema, map, key),
                           Finding::Place::key, ""});
    }
    check_count(schema, map, pointer);
    for (const auto& [key, member] : map.as_map()) check_member(schema, key, member, pointer);
  }

  /// A required key that is missing is often there under another spelling.
  static std::string lacking_hint(const Value& schema, const Value& map, const std::string& key) {
    std::vector<std::string> unknown;
    const Value* properties = schema.find("properties");
    for (const std::string& other : keys_of(&map)) {
      if (properties == nullptr || properties->find(other) == nullptr) unknown.push_back(other);
    }
    const std::string other = nearest(key, unknown);
    if (!other.empty()) return "is \"" + other + "\" meant to be it?";
    const Value* property = properties == nullptr ? nullptr : properties->find(key);
    const Value* examples = property == nullptr ? nullptr : property->find("examples");
    const bool scalar = examples != nullptr && !examples->as_list().empty() && !examples->as_list()[0].is_list() &&
                        !examples->as_list()[0].is_map();
    return scalar ? "for example " + key + ": " + scalar_words(examples->as_list()[0]) : "";
  }

  void check_count(const Value& schema, const Value& map, const std::string& pointer) {
    const auto size = static_cast<std::int64_t>(map.as_map().size());
    const std::int64_t least = schema.int_or("minProperties", 0);
    const std::int64_t most = schema.int_or("maxProperties", INT64_MAX);
    if (size >= least && size <= most) return;
    const std::vector<std::string> known = keys_of(schema.find("properties"));
    if (least == 1 && most == 1 && !known.empty()) {
      add(pointer, "must have exactly one of the keys " + quoted_list(known, "and"));
    } else if (size < least) {
      add(pointer, size == 0 ? "must not be empty" : "has too few members");
    } else {
      add(pointer, "has " + std::to_string(size) + " members, at most " + std::to_string(most) + " are taken");
    }
  }

  void check_member(const Value& schema, const std::string& key, const Value& member, const std::string& pointer) {
    const std::string below = pointer + "/" + pointer_segment(key);
    const Value* properties = schema.find("properties");
    if (properties != nullptr && properties->find(key) != nullptr) return check(properties->at(key), member, below);
    const Value* others = schema.find("additionalProperties");
    if (others == nullptr) return;
    if (others->is_map()) return check(*others, member, below);
    if (others->type() == Value::Type::boolean && !others->as_bool()) tell_unknown(schema, key, pointer);
  }

  void tell_unknown(const Value& schema, const std::string& key, const std::string& pointer) {
    const std::vector<std::string> known = keys_of(schema.find("properties"));
    const Value* later = schema.find("x-future");
    const std::vector<std::string> future = later == nullptr ? std::vector<std::string>() : later->as_texts();
    std::string hint = nearest_hint(key, known);
    if (hint.empty()) hint = "known keys: " + quoted_list(known, "and", 20);
    if (std::find(future.begin(), future.end(), key) != future.end()) hint = "it is not in this version of holdfast";
    const std::string in = pointer.empty() ? "" : " in " + subject(pointer);
    findings_.push_back(
        {pointer + "/" + pointer_segment(key), "unknown key \"" + key + "\"" + in, hint, Finding::Place::key, ""});
  }

  void check_branches(const Value& schema, const Value& value, const std::string& pointer) {
    if (const Value* all = schema.find("allOf")) {
      for (const Value& part : all->as_list()) check(part, value, pointer);
    }
    for (const char* keyword : {"oneOf", "anyOf"}) {
      if (const Value* branches = schema.find(keyword)) check_branch(*branches, value, pointer);
    }
    if (const Value* condition = schema.find("if")) {
      const Value* then = schema.find(fits(*condition, value) ? "then" : "else");
      if (then != nullptr) check(*then, value, pointer);
    }
  }

  /// Tells what is wrong with the branch that comes nearest.
  void check_branch(const Value& branches, const Value& value, const std::string& pointer) {
    std::optional<std::vector<Finding>> best;
    for (const Value& branch : branches.as_list()) {
      Diagnosis trial(document_);
      trial.check(branch, value, pointer);
      if (trial.findings_.empty()) return;
      if (!best || trial.findings_.size() < best->size()) best = std::move(trial.findings_);
    }
    if (best) findings_.insert(findings_.end(), best->begin(), best->end());
  }

  const Document& document_;
  std::vector<Finding> findings_{};
};

}  // namespace

std::vector<Finding> diagnose(const Value& schema, const Value& value, const Document& document) {
  Diagnosis diagnosis(document);
  diagnosis.check(schema, value, "");
  return diagnosis.take();
}

bool fits(const Value& schema, const Value& value) {
  static const Document nothing_refused;
  return diagnose(schema, value, nothing_refused).empty();
}

}  // namespace holdfast
