#include <manifests/document.hpp>

#include <manifests/plain_scalar.hpp>
#include <manifests/source_text.hpp>
#include <manifests/syntax_error.hpp>
#include <manifests/text.hpp>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <deque>
#include <optional>
#include <sstream>

namespace holdfast {

namespace {

constexpr std::size_t longest_key = 256;
constexpr std::size_t most_problems = 200;

/// Ends the reading of a file from inside the library's callbacks; never leaves this file.
struct Stop {};

/// A map or list that is being filled.
struct Open {
  Value* value = nullptr;
  std::string pointer{};
  std::size_t begin = 0;
  bool flow = false;
  bool shadow = false;  // below a duplicate or invalid key: read for its problems, not kept
  std::optional<std::string> key{};
  bool key_refused = false;
  std::size_t key_offset = 0;
  std::map<std::string, std::size_t> keys{};
};

std::string shortened(const std::string& text) { return text.size() <= 60 ? text : text.substr(0, 60) + "…"; }

/// Builds documents out of the library's events. The library's own tree keeps the first of two equal keys, types `yes`
/// and `0644` by YAML 1.1 and becomes cyclic with an alias inside its anchor; events do none of that.
class Builder : public YAML::EventHandler {
 public:
  Builder(const SourceText& source, const DocumentLimits& limits, Parsed& parsed)
      : source_(source), limits_(limits), parsed_(parsed) {}

  [[nodiscard]] std::size_t last_event() const { return last_event_; }
  [[nodiscard]] std::vector<std::size_t> open_flow() const {
    std::vector<std::size_t> offsets;
    for (const Open& open : open_) {
      if (open.flow) offsets.push_back(open.begin);
    }
    return offsets;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    document_ = Document();
    document_.position = source_.position(offset(mark));
    document_start_ = offset(mark);
    open_.clear();
    discarded_.clear();
  }

  void OnDocumentEnd() override {
    if (document_.root.is_null()) {
      complain(document_start_, "empty document",
               "a manifest has apiVersion, kind, metadata and spec; take the empty document or the \"---\" away");
      return;
    }
    if (!document_.root.is_map()) {
      complain(document_start_, "a manifest must be a map, not a " + std::string(type_name(document_.root.type())),
               "it has apiVersion, kind, metadata and spec");
      return;
    }
    parsed_.documents.push_back(std::move(document_));
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    enter(mark, anchor);
    if (wants_key()) return refuse_key(offset(mark));
    if (open_.empty()) {
      place(Value(), offset(mark));
      return;
    }
    const Open& parent = open_.back();
    const std::size_t where = parent.key ? parent.key_offset : std::min(offset(mark), source_.text().size() - 1);
    if (!parent.key_refused) {
      complain(where, (parent.key ? "\"" + shortened(*parent.key) + "\"" : "list item") + std::string(" has no value"),
               "give it one, or take it away");
    }
    refuse_member();
    place(Value(), where);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    enter(mark, YAML::NullAnchor);
    complain(offset(mark), "aliases are not allowed", "write the value out");
    if (wants_key()) return refuse_key(offset(mark), false);
    refuse_member();
    place(Value(), offset(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    enter(mark, anchor);
    check_tag(mark, tag);
    if (text.size() > limits_.scalar) {
      complain(offset(mark), "text of " + std::to_string(text.size()) + " bytes",
               "at most " + std::to_string(limits_.scalar) + " are taken; bring such content in a file with source:");
      throw Stop();
    }
    check_characters(offset(mark), text);
    if (wants_key()) return take_key(text, tag == "?", offset(mark));
    take_value(text, tag == "?", offset(mark));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    start(mark, tag, anchor, style == YAML::EmitterStyle::Flow, List());
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    start(mark, tag, anchor, style == YAML::EmitterStyle::Flow, Map());
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  static std::size_t offset(const YAML::Mark& mark) { return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos); }

  void complain(std::size_t where, std::string what, std::string hint) {
    parsed_.problems.push_back(source_.problem(where, std::move(what), std::move(hint)));
    if (parsed_.problems.size() >= most_problems) throw Stop();
  }

  void enter(const YAML::Mark& mark, YAML::anchor_t anchor) {
    last_event_ = offset(mark);
    if (++parsed_.nodes > limits_.nodes) {
      complain(last_event_, "more than " + std::to_string(limits_.nodes) + " values in one file", "split the file");
      throw Stop();
    }
    if (anchor != YAML::NullAnchor)
      complain(last_event_, "anchors are not allowed", "write the value out where it is used");
    const int line = mark.line + 1;
    if (line == last_tab_line_ || !source_.begins_line(last_event_)) return;
    const std::size_t tab = source_.tab_in_indentation(line);
    if (tab == std::string::npos) return;
    last_tab_line_ = line;
    complain(tab, "tab in the indentation", "indent with spaces");
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    const std::size_t at = offset(mark);
    const bool written = at < source_.text().size() && source_.text()[at] == '!';
    if (!written && (tag.empty() || tag == "?" || tag == "!")) return;
    complain(
        at, "tags are not allowed",
        "take \"" + shortened(source_.text().substr(at, source_.text().find_first_of(" \n", at) - at)) + "\" away");
  }

  /// Escapes in double quotes can make what the check of the file's own characters has not seen.
  void check_characters(std::size_t where, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      if (point.bytes == 0 || is_hidden_character(point.value)) {
        complain(where,
                 "forbidden character: " + (point.bytes == 0 ? "invalid UTF-8" : describe_character(point.value)),
                 "bring such content in a file with source:");
        return;
      }
      at += point.bytes;
    }
  }

  [[nodiscard]] bool wants_key() const { return !open_.empty() && open_.back().value->is_map() && !open_.back().key; }

  void refuse_key(std::size_t where, bool tell = true) {
    if (tell) complain(where, "a key must be a text", "quote it, or check the indentation");
    open_.back().key = "";
    open_.back().key_refused = true;
    open_.back().key_offset = where;
  }

  void take_key(const std::string& text, bool plain, std::size_t where) {
    Open& parent = open_.back();
    if (plain && text == "<<") {
      complain(where, "merge keys are not allowed", "write the members out");
      return refuse_key(where, false);
    }
    if (text.empty() || text.size() > longest_key) {
      complain(where, text.empty() ? "empty key" : "key of " + std::to_string(text.size()) + " bytes",
               "a key has 1 to " + std::to_string(longest_key) + " bytes");
      return refuse_key(where, false);
    }
    const auto [other, is_new] = parent.keys.emplace(text, where);
    parent.key = text;
    parent.key_offset = where;
    parent.key_refused = !is_new;
    if (is_new) {
      if (parent.shadow) return;
      const Position position = source_.position(where);
      document_.keys[parent.pointer + "/" + pointer_segment(text)] = {position.line, position.column};
      return;
    }
    const Position first = source_.position(other->second);
    complain(where, "duplicate key \"" + shortened(text) + "\"",
             "it is already given in line " + std::to_string(first.line));
    parsed_.problems.back().also.push_back(first);
  }

  void take_value(const std::string& text, bool plain, std::size_t where) {
    if (!plain) {
      place(text, where);
      return;
    }
    PlainScalar scalar = type_plain_scalar(text);
    if (!scalar.refusal.empty()) {
      complain(where, scalar.refusal, scalar.hint);
      refuse_member();
      // The text stands in for it, so that what else is wrong with the member can still be said.
      place(text, where);
      return;
    }
    if (!scalar.value.is_text() && !open_.empty() && !shadowed()) document_.plain[member_pointer()] = text;
    place(std::move(scalar.value), where);
  }

  void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool flow, Value container) {
    enter(mark, anchor);
    check_tag(mark, tag);
    if (open_.size() >= limits_.depth) {
      complain(offset(mark), "nested deeper than " + std::to_string(limits_.depth) + " levels", "");
      throw Stop();
    }
    if (wants_key()) {
      // What follows are the key's own events, then those of its value: nothing that could be told apart from here on.
      complain(offset(mark), "a map or list can't be a key", "quote texts that begin with \"{\" or \"[\"");
      throw Stop();
    }
    Open opened;
    opened.begin = offset(mark);
    opened.flow = flow;
    opened.shadow = shadowed();
    opened.pointer = open_.empty() ? "" : member_pointer();
    const std::size_t where = !open_.empty() && open_.back().key ? open_.back().key_offset : opened.begin;
    opened.value = place(std::move(container), where);
    open_.push_back(std::move(opened));
  }

  /// Whether the next value is read for its problems only.
  [[nodiscard]] bool shadowed() const { return !open_.empty() && (open_.back().shadow || open_.back().key_refused); }

  /// The pointer of the value that comes next.
  [[nodiscard]] std::string member_pointer() const {
    const Open& parent = open_.back();
    if (parent.value->is_list()) return parent.pointer + "/" + std::to_string(parent.value->as_list().size());
    return parent.pointer + "/" + pointer_segment(parent.key.value_or(""));
  }

  void refuse_member() {
    if (!open_.empty() && !shadowed()) document_.refused.insert(member_pointer());
  }

  Value* place(Value value, std::size_t where) {
    if (open_.empty()) {
      document_.root = std::move(value);
      return &document_.root;
    }
    const bool shadow = shadowed();
    if (!shadow) document_.positions->insert_or_assign(member_pointer(), source_.position(where));
    Open& parent = open_.back();
    if (parent.value->is_list()) return &parent.value->as_list().emplace_back(std::move(value));
    const std::string key = parent.key.value_or("");
    const bool discard = parent.key_refused;
    parent.key.reset();
    parent.key_refused = false;
    if (discard) return &discarded_.emplace_back(std::move(value));
    return &(parent.value->as_map()[key] = std::move(value));
  }

  const SourceText& source_;
  DocumentLimits limits_;
  Parsed& parsed_;
  Document document_{};
  std::vector<Open> open_{};  // a container's address holds while it is open: only its last member grows
  std::deque<Value> discarded_{};
  std::size_t document_start_ = 0;
  std::size_t last_event_ = 0;
  int last_tab_line_ = 0;
};

void read_all_documents(const SourceText& source, Builder& builder, Parsed& parsed) {
  // The marker behind the text makes the parser report a quote that is never closed; without it the rest of the file
  // silently becomes the quoted text.
  std::istringstream input(source.text() + "...\n");
  try {
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
  } catch (const YAML::Exception& error) {
    const std::size_t at = error.mark.pos < 0 ? builder.last_event() : static_cast<std::size_t>(error.mark.pos);
    parsed.problems.push_back(explain_syntax_error(source, {error.msg, at, builder.last_event(), builder.open_flow()}));
  }
}

}  // namespace

Position Document::at(const std::string& pointer) const {
  for (std::string place = pointer; !place.empty(); place.erase(place.rfind('/'))) {
    const auto found = positions->find(place);
    if (found != positions->end()) return found->second;
  }
  return position;
}

Position Document::key_at(const std::string& pointer) const {
  const auto found = keys.find(pointer);
  if (found == keys.end()) return at(pointer);
  return {position.file, found->second.first, found->second.second};
}

std::string pointer_segment(std::string_view key) {
  std::string segment;
  for (const char letter : key) segment += letter == '~' ? "~0" : letter == '/' ? "~1" : std::string(1, letter);
  return segment;
}

std::string dotted(std::string_view pointer) {
  std::string text;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view segment = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(segment.size());
    const bool index = !segment.empty() && segment.find_first_not_of("0123456789") == std::string_view::npos;
    if (index && !text.empty()) {
      text += "[" + std::string(segment) + "]";
      continue;
    }
    if (!text.empty()) text += ".";
    for (std::size_t at = 0; at < segment.size(); ++at) {
      const bool escape = segment[at] == '~' && at + 1 < segment.size();
      text += !escape ? segment[at] : segment[++at] == '1' ? '/' : '~';
    }
  }
  return text;
}

Parsed parse_documents(const std::string& file, std::string_view bytes, const DocumentLimits& limits) {
  Parsed parsed;
  if (bytes.size() > limits.bytes) {
    parsed.problems.push_back({{file, 0, 0},
                               "file of " + std::to_string(bytes.size()) + " bytes",
                               "a manifest file has at most " + std::to_string(limits.bytes) + " bytes: split it",
                               "",
                               {}});
    return parsed;
  }
  const SourceText source(file, bytes);
  parsed.problems = source.problems();
  if (parsed.problems.empty() && !source.has_content()) {
    parsed.problems.push_back(
        {{file, 1, 1}, "the file holds no manifest", "remove the file, or write a manifest into it", "", {}});
  }
  if (parsed.problems.empty()) {
    Builder builder(source, limits, parsed);
    read_all_documents(source, builder, parsed);
  }
  for (Problem& problem : parsed.problems) quote_line(problem, bytes);
  return parsed;
}

}  // namespace holdfast
