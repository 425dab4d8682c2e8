#include <controller/plan/step_words.hpp>

#include <controller/plan/plan_words.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast {

namespace {

bool is_plain(const std::string& word) {
  return !word.empty() && word.find_first_of(" \t\n\"'\\$`;&|<>*?()[]{}#~!") == std::string::npos;
}

/// As people would type it; nothing ever runs it from this text.
std::string argv_text(const Value& argv) {
  std::string text;
  if (!argv.is_list()) return text;
  for (const Value& one : argv.as_list()) {
    const std::string word = one.is_text() ? one_line(one.as_text()) : "";
    text += (text.empty() ? "" : " ") + (is_plain(word) ? word : "\"" + word + "\"");
  }
  return text;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> unit_words = {{
    {"unit.start", "starts it"},
    {"unit.stop", "stops it"},
    {"unit.restart", "restarts it"},
    {"unit.reload", "reloads it"},
    {"unit.enable", "enables it"},
    {"unit.disable", "disables it"},
    {"unit.mask", "masks it"},
    {"unit.unmask", "unmasks it"},
}};

std::string undo_of_unit(const Action& action) {
  std::vector<std::string> words;
  for (const Step& step : action.undo) {
    for (const auto& [verb, word] : unit_words) {
      if (verb == step.verb) words.emplace_back(word);
    }
  }
  return join_with_and(words);
}

std::string undo_of_command(const Action& action) {
  std::vector<std::string> words;
  for (const Step& step : action.undo) {
    const Value arguments = step.arguments;
    if (const Value* argv = arguments.find("argv")) words.push_back("runs " + argv_text(*argv));
    if (const Value* path = arguments.find("remove")) words.push_back("removes " + one_line(path->as_text()));
  }
  return join_with_and(words);
}

std::string undo_of_change(const ChangeView& view) {
  std::vector<std::string> names;
  if (view.content.kind != ContentView::Kind::none) names.emplace_back("content");
  for (const AttributeView& one : view.attributes) {
    if (one.name != "foreign") names.push_back(one.name);
  }
  return names.empty() ? "" : "puts " + join_with_and(names) + " back";
}

}  // namespace

std::vector<std::string> commands_of(const std::vector<Step>& steps) {
  std::vector<std::string> commands;
  const auto add = [&commands](const Value& argv) {
    if (std::string text = argv_text(argv); !text.empty()) commands.push_back(std::move(text));
  };
  for (const Step& step : steps) {
    const Value arguments = step.arguments;
    if (const Value* argv = arguments.find("argv")) add(*argv);
    const Value* build = arguments.find("build");
    const Value* parts = build == nullptr ? nullptr : build->find("steps");
    if (parts == nullptr || !parts->is_list()) continue;
    for (const Value& argv : parts->as_list()) add(argv);
  }
  return commands;
}

std::string undo_words(const Action& action, const ChangeView& view) {
  if (action.id.type == PrimitiveType::unit) return undo_of_unit(action);
  if (action.id.type == PrimitiveType::command) return undo_of_command(action);
  if (view.sign == ChangeView::Sign::create) return "removes it";
  if (view.sign == ChangeView::Sign::remove) return "brings it back as it was";
  return undo_of_change(view);
}

}  // namespace holdfast
