#include <controller/plan/reasons.hpp>

#include <controller/plan/plan_view.hpp>
#include <controller/plan/plan_words.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace holdfast {

namespace {

/// Follow from other attributes, or from what a unit loads.
constexpr std::array<std::string_view, 7> following = {"size",       "loaded",     "daemon", "invocation",
                                                       "started_us", "changed_us", "built"};

bool follows(std::string_view name) { return std::ranges::find(following, name) != following.end(); }

const Value* member(const Attributes& attributes, std::string_view name) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? nullptr : &found->second;
}

bool same_at(const Attributes& a, const Attributes& b, std::string_view name) {
  const Value* left = member(a, name);
  const Value* right = member(b, name);
  return left == nullptr || right == nullptr ? left == right : *left == *right;
}

std::vector<std::string> differing(const Attributes& a, const Attributes& b) {
  std::set<std::string> names;
  for (const Attributes* side : {&a, &b}) {
    for (const auto& [name, value] : *side) {
      if (!follows(name) && !same_at(a, b, name)) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

const Wanted* find(const Bundle* bundle, const PrimitiveId& id) {
  if (bundle == nullptr) return nullptr;
  const auto found = std::ranges::find(bundle->wanted, id, &Wanted::id);
  return found == bundle->wanted.end() ? nullptr : &*found;
}

bool is_there(const Attributes& attributes) { return Value(attributes).bool_or("present", true); }

std::string by(const Asked& asked) { return asked.by.empty() ? "" : " by " + asked.by; }

/// Tells why one action is there.
class Reasons {
 public:
  Reasons(const Background& known, const HostPlan& host) : known_(known), host_(host) {}

  std::vector<std::string> of(const Action& action) {
    texts_.clear();
    const Wanted* wanted = find(known_.wanted, action.id);
    if (wanted == nullptr || action.kind == ActionKind::prune) {
      const Asked asked = ask(action.origin, true);
      texts_.push_back("no manifest names it any more" + (asked.by.empty() ? "" : ", since " + asked.by));
      return texts_;
    }
    if (known_.live_commit.empty()) {
      texts_.push_back("nothing was verified on this host before; asked for" + by(ask(action.origin, false)));
    } else {
      compare(action, *wanted, find(known_.live, action.id));
    }
    tell_unit(action);
    tell_command(action, *wanted);
    return texts_;
  }

 private:
  [[nodiscard]] Asked ask(const Origin& origin, bool gone) const {
    return known_.asked && !origin.position.file.empty() ? known_.asked(origin, gone) : Asked{};
  }

  void compare(const Action& action, const Wanted& wanted, const Wanted* live) {
    if (known_.live == nullptr) {
      texts_.push_back("what was deployed before (" + known_.live_commit.substr(0, 12) +
                       ") can't be compared with; last changed" + by(ask(action.origin, false)));
      return;
    }
    if (live == nullptr) {
      texts_.push_back("new: asked for" + by(ask(action.origin, false)));
      return;
    }
    const std::vector<std::string> intended = differing(live->attributes, wanted.attributes);
    if (!intended.empty()) tell_intended(action, intended);
    for (const std::string& name : differing(action.from, action.to)) {
      if (action.id.type == PrimitiveType::command && name != "present") continue;  // see tell_command
      if (std::ranges::find(intended, name) == intended.end()) tell_drift(action, name);
    }
  }

  void tell_intended(const Action& action, const std::vector<std::string>& names) {
    const Asked asked = ask(action.origin, false);
    if (asked.is_live) {
      texts_.push_back(join_with_and(names) + ": its manifest is as it was (" + asked.by +
                       "); a variable or something that it refers to changed");
    } else {
      texts_.push_back(join_with_and(names) + ": asked for" + by(asked));
    }
  }

  void tell_drift(const Action& action, const std::string& name) {
    const std::string deployed = known_.live_commit.substr(0, 12);
    const std::string sure = known_.live_is_exact ? "drift: " : "drift, or a setting of the environment: ";
    if (!is_there(action.from)) {
      if (name == "present") texts_.push_back(sure + deployed + " was deployed with it, and it is gone");
      return;
    }
    if (!is_there(action.to)) {
      if (name == "present") texts_.push_back(sure + deployed + " was deployed without it, and it is there");
      return;
    }
    if (name == "content" || name == "digest") {
      texts_.push_back(sure + name + " is not what " + deployed + " was deployed with");
    } else {
      texts_.push_back(sure + name + " is " + attribute_text(name, member(action.from, name)) + ", " + deployed +
                       " was deployed with " + attribute_text(name, member(action.to, name)));
    }
  }

  void tell_unit(const Action& action) {
    if (action.id.type != PrimitiveType::unit) return;
    for (const UnitEffect& effect : effects_of(host_, action)) {
      if (effect.verb != "restarts" && effect.verb != "reloads") continue;
      for (const std::string& cause : effect.causes) texts_.push_back("loads " + cause + ", which changes");
      if (effect.causes.empty()) texts_.push_back(effect.because);
    }
    const Value* daemon = member(action.from, "daemon");
    if (daemon != nullptr && *daemon == Value("stale")) texts_.emplace_back("systemd has to read its unit file again");
  }

  /// What a command runs for is told by what it loads, as a unit's is.
  void tell_command(const Action& action, const Wanted& wanted) {
    if (action.id.type != PrimitiveType::command) return;
    const Value* state = member(action.from, "state");
    if (state != nullptr && *state != Value("done")) texts_.emplace_back("it was cut off when it ran last");
    const Value* loads = member(wanted.parameters, "loads");
    if (loads == nullptr) return;
    for (const Action& other : host_.plan.actions) {
      const bool loaded = std::ranges::find(loads->as_list(), Value(to_text(other.id))) != loads->as_list().end();
      if (loaded) texts_.push_back("runs for " + to_text(other.id) + ", which changes");
    }
  }

  const Background& known_;
  const HostPlan& host_;
  std::vector<std::string> texts_;
};

}  // namespace

std::map<PrimitiveId, std::vector<std::string>> reasons_of(const Plan& plan, const Background& known) {
  HostPlan host;
  host.plan = plan;
  Reasons reasons(known, host);
  std::map<PrimitiveId, std::vector<std::string>> all;
  for (const Action& action : plan.actions) {
    for (const std::string& text : reasons.of(action)) all[action.id].push_back(with_short_ids(one_line(text)));
  }
  return all;
}

}  // namespace holdfast
