#include <reconcilers/host/undo.hpp>

#include <manifests/json.hpp>
#include <reconcilers/primitives/place.hpp>

#include <set>

namespace holdfast {

namespace {

const Value* member(const Attributes& attributes, const std::string& key) {
  const auto found = attributes.find(key);
  return found == attributes.end() ? nullptr : &found->second;
}

bool equal_at(const Attributes& left, const Attributes& right, const std::string& key) {
  const Value* one = member(left, key);
  const Value* other = member(right, key);
  return one == nullptr || other == nullptr ? one == other : *one == *other;
}

bool is_text(const Attributes& attributes, const char* key, const char* text) {
  const Value* value = member(attributes, key);
  return value != nullptr && *value == Value(text);
}

/// What the action was to change. The size follows from the content.
std::set<std::string> changed_keys(const Action& action) {
  std::set<std::string> keys;
  for (const Attributes* side : {&action.from, &action.to}) {
    for (const auto& [key, value] : *side) {
      if (key != "size" && !equal_at(action.from, action.to, key)) keys.insert(key);
    }
  }
  return keys;
}

/// A digest tells people nothing, and could tell too much of a secret.
std::string told(const Attributes& attributes, const std::string& key) {
  const Value* value = member(attributes, key);
  if (value == nullptr) return "not there";
  return key == "content" || key == "loaded" || key == "digest" ? "another" : to_json(*value);
}

class Undo {
 public:
  Undo(const std::vector<Touched>& touched, UndoTime time, UndoPlan& plan) : time_(time), plan_(plan) {
    for (const Touched& one : touched) {
      if (one.action.id.type != PrimitiveType::command || !one.begun || is_irreversible(one)) continue;
      undoes_commands_ = true;
      const auto stops = one.wanted.parameters.find("stops");
      if (stops == one.wanted.parameters.end()) continue;
      for (const std::string& unit : stops->second.as_texts()) stopped_.insert(unit);
    }
  }

  void add(const Touched& touched, const Attributes& now) {
    switch (touched.action.id.type) {
      case PrimitiveType::unit:
        return add_unit(touched, now);
      case PrimitiveType::command:
        return add_command(touched, now);
      case PrimitiveType::tree:
        // What could not be undone before services run is undone with the same release's programs later.
        if (time_ == UndoTime::running || !undoes_commands_) add_own(touched, now);
        return;
      case PrimitiveType::file:
      case PrimitiveType::link:
        return add_content(touched, now);
      case PrimitiveType::package:
        if (time_ == UndoTime::running) add_own(touched, now);
        return;
      default:
        return add_own(touched, now);
    }
  }

 private:
  void move(const Touched& touched, const Attributes& now, Attributes to) {
    if (now != to)
      plan_.moves.push_back({.wanted = touched.wanted, .from = now, .to = std::move(to), .kind = touched.action.kind});
  }

  /// Accounts, packages, releases and folders: whatever a half done step left of them goes back.
  void add_own(const Touched& touched, const Attributes& now) {
    const Action& action = touched.action;
    if (!touched.begun) return;
    if (!is_present(action.from) && action.id.type == PrimitiveType::tree) return forget(touched, now);
    if (!is_present(action.from) || !is_present(now)) return move(touched, now, action.from);
    Attributes to = now;
    for (const std::string& key : changed_keys(action)) {
      if (const Value* before = member(action.from, key)) to[key] = *before;
    }
    // One that was cut off is broken in whichever version it stands.
    const Value* state = member(action.from, "state");
    if (action.id.type == PrimitiveType::package && state != nullptr) to["state"] = *state;
    // The source of a release that was put right in place can't be had back; see irreversible.
    if (action.id.type == PrimitiveType::tree) to = overlay(to, Attributes{{"digest", now.at("digest")}});
    if (action.id.type == PrimitiveType::directory && now.contains("foreign")) to["foreign"] = now.at("foreign");
    move(touched, now, std::move(to));
  }

  static bool is_irreversible(const Touched& touched) { return touched.wanted.parameters.contains("irreversible"); }

  /// What a command did is undone, also where it was cut off. Where that can't be, only what it last ran for goes back.
  void add_command(const Touched& touched, const Attributes& now) {
    if (!touched.begun) return;
    const Attributes& from = touched.action.from;
    const bool irreversible = is_irreversible(touched);
    if (irreversible) {
      plan_.left.push_back(to_text(touched.action.id) + " was run, and what it did stays: " +
                           touched.wanted.parameters.at("irreversible").as_text());
    }
    if (irreversible && !touched.action.to.contains("digest")) return;
    Attributes to = from;
    if (is_text(from, "state", "cut_off")) to["state"] = "done";
    if (!to.contains("digest") && is_text(from, "state", "cut_off")) to = {{"present", false}};
    move(touched, now, std::move(to));
  }

  /// Nobody brings back what an undo removes; kept aside, it would keep the folder around it from going too.
  void forget(const Touched& touched, const Attributes& now) {
    Touched gone = touched;
    gone.wanted.parameters["forget"] = true;
    move(gone, now, touched.action.from);
  }

  void add_content(const Touched& touched, const Attributes& now) {
    const Action& action = touched.action;
    const std::set<std::string> keys = changed_keys(action);
    bool is_before = true;
    for (const std::string& key : keys) is_before = is_before && equal_at(now, action.from, key);
    if (is_before || !touched.begun) return;
    if (is_someone_elses(action, keys, now)) {
      plan_.left.push_back(
          to_text(action.id) +
          " is neither what it was nor what the transaction made of it: someone changed it, it is left as it is");
      return;
    }
    Attributes to = action.from;
    if (is_present(action.from) && is_present(action.to)) {
      to = now;
      for (const std::string& key : keys) {
        if (const Value* before = member(action.from, key)) to[key] = *before;
      }
      if (keys.contains("content")) to.erase("size");
    }
    move(touched, now, std::move(to));
  }

  static bool is_someone_elses(const Action& action, const std::set<std::string>& keys, const Attributes& now) {
    if (now.contains("obstacle")) return true;
    if (!is_present(now)) return is_present(action.to);
    for (const std::string& key : keys) {
      if (!equal_at(now, action.from, key) && !equal_at(now, action.to, key)) return true;
    }
    return false;
  }

  void add_unit(const Touched& touched, const Attributes& observed) {
    const Action& action = touched.action;
    Attributes now = observed;
    // A reload that was cut off before it was noted may have happened.
    const bool cut_off = touched.begun && !touched.done;
    const bool unsure = (cut_off || stopped_.contains(action.id.name)) && action.from.contains("loaded");
    if (unsure && is_text(now, "active", "running")) now["loaded"] = "unsure";
    Attributes to = now;
    if (touched.begun && !equal_at(action.from, action.to, "enabled")) to["enabled"] = action.from.at("enabled");
    if (time_ == UndoTime::running) {
      const bool ran = is_text(action.from, "active", "running");
      if (ran) {
        to["active"] = "running";
      } else if (touched.begun && is_text(action.to, "active", "running")) {
        to["active"] = "stopped";
      }
      if (ran && action.from.contains("loaded")) to["loaded"] = action.from.at("loaded");
    }
    move(touched, now, std::move(to));
  }

  UndoTime time_;
  UndoPlan& plan_;
  bool undoes_commands_ = false;
  std::set<std::string> stopped_{};  // by the commands' undos
};

}  // namespace

UndoPlan undo_of(const std::vector<Touched>& touched, const std::map<PrimitiveId, Attributes>& now, UndoTime time) {
  UndoPlan plan;
  Undo undo(touched, time, plan);
  for (const Touched& one : touched) {
    const auto state = now.find(one.action.id);
    if (state != now.end()) undo.add(one, state->second);
  }
  return plan;
}

std::vector<std::string> not_undone(const std::vector<Move>& moves, const std::map<PrimitiveId, Attributes>& now) {
  std::vector<std::string> left;
  for (const Move& move : moves) {
    const auto found = now.find(move.wanted.id);
    const Attributes state = found == now.end() ? Attributes{{"present", false}} : found->second;
    const bool kept = move.wanted.id.type == PrimitiveType::directory;  // see kept_data
    if (!is_present(move.to) && is_present(state) && !kept) left.push_back(to_text(move.wanted.id) + " is still there");
    if (!is_present(move.to)) continue;
    for (const auto& [key, value] : move.to) {
      const bool follows = key == "size" || key == "daemon" || value == Value("unknown");
      if (follows || equal_at(move.from, move.to, key) || equal_at(state, move.to, key)) continue;
      left.push_back(to_text(move.wanted.id) + ": " + key + " is " + told(state, key) + ", it was " +
                     told(move.to, key));
    }
  }
  return left;
}

std::vector<std::string> kept_data(const std::vector<Move>& moves, const std::map<PrimitiveId, Attributes>& now) {
  std::vector<std::string> kept;
  for (const Move& move : moves) {
    const auto found = now.find(move.wanted.id);
    if (move.wanted.id.type != PrimitiveType::directory || is_present(move.to) || found == now.end()) continue;
    if (is_present(found->second)) kept.push_back(to_text(move.wanted.id) + " is kept: it holds data by now");
  }
  return kept;
}

}  // namespace holdfast
