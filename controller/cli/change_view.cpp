#include <controller/cli/content_view.hpp>
#include <controller/cli/plan_words.hpp>
#include <manifests/digest.hpp>

#include <array>

namespace holdfast {

namespace {

/// Attributes that are told in other words, or mean nothing to people.
constexpr std::array<std::string_view, 10> untold = {"present", "content", "size",       "digest",     "built",
                                                     "daemon",  "loaded",  "invocation", "started_us", "obstacle"};

bool is_untold(std::string_view name) {
  for (const std::string_view one : untold) {
    if (one == name) return true;
  }
  return false;
}

bool is_there(const Action& action, const Attributes& attributes) {
  return action.id.type == PrimitiveType::unit || Value(attributes).bool_or("present", true);
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

std::string argv_text(const Value& argv) {
  std::string text;
  for (const Value& one : argv.as_list()) text += (text.empty() ? "" : " ") + one_line(one.as_text());
  return text;
}

void add_release_details(const Action& action, std::vector<std::string>& details) {
  for (const Step& step : action.steps) {
    if (step.verb == "tree.unstash") details.emplace_back("from what was put aside on the host");
    const Value arguments = step.arguments;
    const Value* entries = arguments.find("entries");
    if (step.verb != "tree.put" || entries == nullptr) continue;
    std::int64_t bytes = 0;
    for (const Value& entry : entries->as_list()) bytes += entry.int_or("size", 0);
    const std::size_t count = entries->as_list().size();
    details.push_back(std::to_string(count) + (count == 1 ? " file, " : " files, ") + size_text(bytes));
    const Value* build = arguments.find("build");
    const Value* steps = build == nullptr ? nullptr : build->find("steps");
    if (steps == nullptr) continue;
    for (const Value& argv : steps->as_list()) details.push_back("builds with " + argv_text(argv));
  }
}

void add_unit_details(const Action& action, std::vector<std::string>& details) {
  for (const Step& step : action.steps) {
    if (step.verb == "unit.restart" || step.verb == "unit.reload" || step.verb == "unit.daemon_reload") {
      details.push_back(step.verb == "unit.daemon_reload" ? "reloads its unit file" : step.verb.substr(5) + "s");
    }
  }
}

std::vector<std::string> created_details(const Action& action) {
  std::vector<std::string> details;
  for (const auto& [name, value] : action.to) {
    if (!is_untold(name) && !value.is_null()) details.push_back(name + " " + attribute_text(name, &value));
  }
  return details;
}

std::vector<std::string> changed_details(const Action& action) {
  std::vector<std::string> details;
  for (const auto& [name, value] : action.to) {
    const auto before = action.from.find(name);
    const Value* old = before == action.from.end() ? nullptr : &before->second;
    if (is_untold(name) || (old != nullptr && *old == value)) continue;
    if (name == "foreign") {
      details.push_back(attribute_text("", old) + " entries below get its owner");
    } else {
      details.push_back(name + " " + attribute_text(name, old) + " -> " + attribute_text(name, &value));
    }
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
  const bool was_there = is_there(action, action.from);
  const bool will_be = is_there(action, action.to);
  if (!will_be) {
    view.sign = ChangeView::Sign::remove;
    view.details = removed_details(action);
  } else {
    view.sign = was_there ? ChangeView::Sign::change : ChangeView::Sign::create;
    view.details = was_there ? changed_details(action) : created_details(action);
  }
  if (action.id.type == PrimitiveType::link) {
    if (const std::string release = link_detail(action); !release.empty()) view.details = {release};
  }
  if (action.id.type == PrimitiveType::tree) add_release_details(action, view.details);
  if (action.id.type == PrimitiveType::unit) add_unit_details(action, view.details);
  if (action.id.type == PrimitiveType::package && view.details.empty() && !was_there) {
    view.details.emplace_back("the version that the mirror has");
  }
  if (action.id.type == PrimitiveType::file) view.content = content_view(host, action);
  return view;
}

}  // namespace holdfast
