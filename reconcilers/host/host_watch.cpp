#include <reconcilers/host/host_watch.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/bus.hpp>
#include <reconcilers/host/transaction_record.hpp>
#include <reconcilers/primitives/primitive_kind.hpp>

#include <algorithm>
#include <chrono>

namespace holdfast {

namespace {

constexpr std::int64_t gather_ms = 150;      // an editor writes, renames and sets the mode: one hint for all of it
constexpr std::int64_t between_ms = 1'000;   // two hints
constexpr std::int64_t look_again_ms = 400;  // at units: one that restarts all the time must not cost more than that
constexpr std::int64_t listen_again_ms = 5'000;
constexpr int settle_ms = 500;  // how soon the end of a transaction is seen
constexpr std::size_t most_ids = 20;
constexpr std::size_t most_seen = 10'000;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What about a unit a manifest can ask for.
const std::vector<std::string> unit_members = {"LoadState", "ActiveState", "UnitFileState", "NeedDaemonReload"};

}  // namespace

Watched watched_by(const Bundle& bundle) {
  Watched watched;
  for (const Wanted& wanted : bundle.wanted) {
    const std::string id = to_text(wanted.id);
    const std::string& name = wanted.id.name;
    switch (wanted.id.type) {
      case PrimitiveType::file:
        watched.files.insert(name);
        [[fallthrough]];
      case PrimitiveType::link:
      case PrimitiveType::directory:
        watched.paths[name].insert(id);
        break;
      case PrimitiveType::tree:
        watched.paths[name].insert(id);
        if (const auto entries = wanted.parameters.find("entries");
            entries != wanted.parameters.end() && entries->second.is_list()) {
          for (const Value& entry : entries->second.as_list()) {
            watched.paths[name + "/" + entry.text_or("path", "")].insert(id);
          }
        }
        break;
      case PrimitiveType::unit:
        watched.units[name] = id;
        break;
      case PrimitiveType::package:
        watched.paths["/var/lib/dpkg/status"].insert(id);
        break;
      case PrimitiveType::user:
      case PrimitiveType::group:
        for (const char* path : {"/etc/passwd", "/etc/group", "/etc/shadow"}) watched.paths[path].insert(id);
        break;
      case PrimitiveType::command:
        break;
    }
  }
  return watched;
}

HostWatch::HostWatch(System& system, const State& state)
    : system_(system), state_(state), paths_(system.root()), own_("") {
  own_.arm({state_.path("generation.json"), state_.path("open")}, {});
  arm();
  settling_ = is_open();
  why_ = "settled";  // what happened between the last look and now
}

std::string HostWatch::generation_text() const {
  const Value generation = state_.generation();
  return generation.is_null() ? ""
                              : generation.text_or("transaction", "") + " " + generation.text_or("bundle_digest", "");
}

bool HostWatch::is_open() const {
  const std::optional<std::string> id = state_.open_transaction();
  return id && !is_at_end(read_transaction(state_, *id).state);
}

void HostWatch::arm() {
  const std::string generation = generation_text();
  if (generation != generation_ || labels_.empty()) {
    generation_ = generation;
    const std::size_t space = generation.find(' ');
    const auto bundle = space == std::string::npos ? std::nullopt : state_.bundle(generation.substr(space + 1));
    watched_ = bundle ? watched_by(*bundle) : Watched{};
    if (!system_.abilities().units) watched_.units.clear();
    labels_.clear();
    for (const auto& [unit, id] : watched_.units) labels_[bus_label(unit)] = unit;
    states_.clear();
  }
  std::set<std::string> all;
  for (const auto& [path, ids] : watched_.paths) all.insert(path);
  reach_ = paths_.arm(all, watched_.files);
  if (states_.empty()) look_at_units();
}

Value HostWatch::reach() const {
  return Map{{"paths", reach_.paths}, {"units", watched_.units.size()}, {"left_out", reach_.left_out}};
}

std::vector<int> HostWatch::descriptors() const {
  std::vector<int> all = {paths_.fd(), own_.fd()};
  if (signals_) all.push_back(signals_->fd());
  return all;
}

int HostWatch::patience_ms(std::int64_t now_ms) const {
  if (settling_) return settle_ms;
  if (!why_.empty()) {
    return static_cast<int>(std::max<std::int64_t>(std::max(first_ms_ + gather_ms, told_ms_ + between_ms) - now_ms, 0));
  }
  if (units_moved_) return static_cast<int>(std::max<std::int64_t>(looked_ms_ + look_again_ms - now_ms, 0));
  if (!watched_.units.empty() && !signals_) {
    return static_cast<int>(std::max<std::int64_t>(listen_again_ms_ - now_ms, 0));
  }
  return -1;
}

void HostWatch::note(const std::string& id) {
  if (seen_ms_.size() >= most_seen) seen_ms_.clear();
  seen_ms_[id] = wall_ms();
  changed_.insert(id);
  if (why_.empty()) why_ = "changed";
}

void HostWatch::note(const std::set<std::string>& ids) {
  for (const std::string& id : ids) note(id);
}

void HostWatch::hear_paths() {
  const PathWatch::News news = paths_.take();
  for (const std::string& path : news.paths) {
    if (const auto found = watched_.paths.find(path); found != watched_.paths.end()) note(found->second);
  }
  if (news.overflow) why_ = "overflow";
}

/// systemd tells of every job; what counts is whether a unit is another than before.
void HostWatch::look_at_units() {
  std::vector<std::string> names;
  for (const auto& [unit, id] : watched_.units) names.push_back(unit);
  if (names.empty()) return;
  const auto found = system_.unit_properties(names, unit_members);
  if (!found) return;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string state;
    for (const auto& [name, value] : (*found)[i]) state += name + "=" + value + "\n";
    std::string& known = states_[names[i]];
    if (!known.empty() && known != state) note(watched_.units.at(names[i]));
    known = state;
  }
}

void HostWatch::hear_units(std::int64_t now_ms) {
  listen(now_ms);
  if (!units_moved_ || now_ms < looked_ms_ + look_again_ms) return;
  units_moved_ = false;
  looked_ms_ = now_ms;
  look_at_units();
}

void HostWatch::listen(std::int64_t now_ms) {
  if (watched_.units.empty()) return;
  try {
    if (!signals_ && now_ms >= listen_again_ms_) {
      listen_again_ms_ = now_ms + listen_again_ms;
      signals_.emplace();
      units_moved_ = true;  // what was not heard meanwhile
    }
    const auto use = [this](const std::string& label, const std::string& member) {
      units_moved_ = units_moved_ || labels_.contains(label) || member == "UnitFilesChanged" || member == "Reloading";
    };
    if (signals_ && !signals_->take(use)) signals_.reset();
  } catch (const Error&) {
    signals_.reset();
  }
}

/// A transaction that is open, or one that is over since.
void HostWatch::settle() {
  if (own_.take().paths.empty() && !settling_) return;
  own_.arm({state_.path("generation.json"), state_.path("open")}, {});
  const bool open = is_open();
  if (!open && (settling_ || generation_text() != generation_)) {
    arm();  // what the transaction did is no news; what somebody did beside it would be
    look_at_units();
    changed_.clear();
    why_ = "settled";
  }
  settling_ = open;
}

void HostWatch::pause() { signals_.reset(); }

std::int64_t HostWatch::seen_ms(const std::string& id) const {
  const auto found = seen_ms_.find(id);
  return found == seen_ms_.end() ? 0 : found->second;
}

std::optional<Value> HostWatch::take(std::int64_t now_ms) {
  const bool quiet = why_.empty();
  settle();
  hear_paths();
  hear_units(now_ms);
  if (why_.empty()) return std::nullopt;
  if (quiet) first_ms_ = now_ms;
  if (settling_ || now_ms < first_ms_ + gather_ms || now_ms < told_ms_ + between_ms) return std::nullopt;
  List ids;
  for (const std::string& id : changed_) {
    if (ids.size() < most_ids) ids.emplace_back(id);
  }
  const std::size_t more = changed_.size() - ids.size();
  Value message = Map{{"ids", std::move(ids)}, {"more", more}, {"why", std::exchange(why_, {})}};
  changed_.clear();
  told_ms_ = now_ms;
  arm();
  return message;
}

}  // namespace holdfast
