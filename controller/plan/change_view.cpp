#include <controller/plan/content_view.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/plan/step_words.hpp>
#include <manifests/digest.hpp>

#include <array>

namespace holdfast {

namespace {

/// Attributes that are told in other words, or mean nothing to people.
constexpr std::array<std::string_view, 11> untold = {"present",    "content",    "size",    "digest",
                                                     "built",      "daemon",     "loaded",  "invocation",
                                                     "started_us", "changed_us", "obstacle"};

bool is_untold(std::string_view name) {
  for (const std::string_view one : untold) {
    if (one == name) return true;
  }
  return false;
}

bool is_there(const Action& action, const Attributes& attributes) {
  return action.id.type == PrimitiveType::unit || Value(attributes).bool_or("present", true);
}

ChangeView::Sign sign_of(const Action& action) {
  if (!is_there(action, action.to)) return ChangeView::Sign::remove;
  return is_there(action, action.from) ? ChangeView::Sign::change : ChangeView::Sign::create;
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// "release ab12… -> cd34…" where a link goes from one release folder to another.
std::string link_detail(const Action& action) {
  const Value from = action.from;
  const Value to = action.to;
  const std::string before = name_of(from.text_or("target", ""));
  const std::string after = name_of(to.text_or("target", ""));
  if (!is_object_id(after) || before == after) return "";
  return "release " + (is_object_id(before) ? before.substr(0, 12) + " -> " : "") + after.substr(0, 12);
}

void add_release_details(const Action& action, std::vector<std::string>& details) {
  for (const Step& step : action.steps) {
    if (step.verb == "tree.unstash") details.emplace_back("from what was put aside on the host");
    const Value arguments = step.arguments;
    const std::int64_t files = arguments.int_or("files", 0);
    if (step.verb != "tree.put" || files <= 0) continue;
    details.push_back(number_of(static_cast<std::size_t>(files), "file") + ", " +
                      size_text(arguments.int_or("bytes", 0)));
  }
}

void add_unit_details(const Action& action, std::vector<std::string>& details) {
  for (const Step& step : action.steps) {
    if (step.verb == "unit.restart" || step.verb == "unit.reload" || step.verb == "unit.daemon_reload") {
      details.push_back(step.verb == "unit.daemon_reload" ? "reloads its unit file" : step.verb.substr(5) + "s");
    }
  }
}

/// As whom and where a command runs; its state means nothing to people.
std::vector<std::string> command_details(const Action& action) {
  std::vector<std::string> details;
  for (const Step& step : action.steps) {
    const Value arguments = step.arguments;
    const std::string folder = arguments.text_or("folder", "/");
    details.push_back("as " + one_line(arguments.text_or("user", "root")) +
                      (folder == "/" ? "" : " in " + one_line(folder)));
    const Value* stops = arguments.find("stops");
    if (stops == nullptr || !stops->is_list()) continue;
    std::vector<std::string> units;
    for (const Value& unit : stops->as_list()) units.push_back(one_line(unit.as_text()));
    details.push_back("while " + join_with_and(units) + (units.size() == 1 ? " is stopped" : " are stopped"));
  }
  return details;
}

std::vector<std::string> created_details(const Action& action) {
  std::vector<std::string> details;
  for (const auto& [name, value] : action.to) {
    if (!is_untold(name) && !value.is_null()) details.push_back(name + " " + attribute_text(name, &value));
  }
  return details;
}

/// Every attribute that differs and that people know by its name.
std::vector<AttributeView> attributes_of(const Action& action) {
  std::vector<AttributeView> attributes;
  for (const auto& [name, value] : action.to) {
    const auto before = action.from.find(name);
    const Value* old = before == action.from.end() ? nullptr : &before->second;
    if (is_untold(name) || value.is_null() || (old != nullptr && *old == value)) continue;
    attributes.push_back({one_line(name), attribute_text(name, old), attribute_text(name, &value)});
  }
  return attributes;
}

std::vector<std::string> changed_details(const std::vector<AttributeView>& attributes) {
  std::vector<std::string> details;
  for (const AttributeView& one : attributes) {
    details.push_back(one.name == "foreign" ? one.from + " entries below get its owner"
                                            : one.name + " " + one.from + " -> " + one.to);
  }
  return details;
}

std::vector<std::string> removed_details(const Action& action) {
  std::vector<std::string> details;
  if (const Value state = action.from; state.find("version") != nullptr) {
    details.push_back("version " + one_line(state.text_or("version", "")));
  }
  if (action.kind == ActionKind::prune && !action.origin.resource.empty())
    details.emplace_back("no manifest names it any more");
  return details;
}

}  // namespace

ChangeView change_view(const HostPlan& host, const Action& action) {
  ChangeView view;
  view.id = with_short_ids(one_line(to_text(action.id)));
  view.sign = sign_of(action);
  const bool created = view.sign == ChangeView::Sign::create;
  if (view.sign == ChangeView::Sign::remove) {
    view.details = removed_details(action);
  } else {
    view.attributes = attributes_of(action);
    view.details = created ? created_details(action) : changed_details(view.attributes);
  }
  if (action.id.type == PrimitiveType::command) {
    view.attributes.clear();
    view.details = command_details(action);
  }
  if (action.id.type == PrimitiveType::link) {
    if (const std::string release = link_detail(action); !release.empty()) view.details = {release};
  }
  if (action.id.type == PrimitiveType::tree) add_release_details(action, view.details);
  if (action.id.type == PrimitiveType::unit) add_unit_details(action, view.details);
  if (action.id.type == PrimitiveType::package && view.details.empty() && created) {
    view.details.emplace_back("the version that the mirror has");
  }
  if (action.id.type == PrimitiveType::file) view.content = content_view(host, action);
  view.commands = commands_of(action.steps);
  view.undo = undo_words(action, view);
  for (const std::string& why : action.irreversible) view.irreversible.push_back(one_line(why));
  if (const auto why = host.why.find(action.id); why != host.why.end()) view.why = why->second;
  const auto outcome = host.outcomes.find(to_text(action.id));
  if (outcome != host.outcomes.end()) view.outcome = outcome->second;
  return view;
}

}  // namespace holdfast
