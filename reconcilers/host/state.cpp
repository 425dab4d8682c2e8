#include <reconcilers/host/state.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

/// Names in a folder, the newest first; none where there is no such folder.
std::vector<std::string> newest_first(const std::string& folder) {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const fs::file_time_type time = entry.last_write_time(error);
    if (!error) found.emplace_back(time, entry.path().filename().string());
  }
  std::ranges::sort(found, std::ranges::greater{});
  std::vector<std::string> names;
  for (auto& [time, name] : found) names.push_back(std::move(name));
  return names;
}

}  // namespace

State::State(const std::string& root) : folder_(root + state_folder) {}

std::string State::transaction_path(const std::string& id, const std::string& name) const {
  return path("transactions/" + id + (name.empty() ? "" : "/" + name));
}

void State::make_folders() const {
  for (const char* name : {"bundles", "transactions", "vault"}) make_private_folder(path(name));
}

std::optional<Value> State::json(const std::string& name) const {
  const std::optional<std::string> text = read_state_file(path(name));
  if (!text) return std::nullopt;
  return while_doing("reading \"" + path(name) + "\"", [&] { return from_json(*text); });
}

std::int64_t State::epoch() const {
  const std::optional<Value> kept = json("epoch");
  return kept ? kept->as_int() : 0;
}

void State::raise_epoch(std::int64_t epoch) const {
  if (epoch <= this->epoch()) return;
  make_private_folder(folder_);
  const auto lock = FileLock::take(path("epoch.lock"), std::chrono::seconds(10));
  if (!lock) throw Error("another process holds \"" + path("epoch.lock") + "\" for too long");
  if (epoch > this->epoch()) write_state_file(path("epoch"), to_json(epoch));
}

std::optional<std::string> State::open_transaction() const {
  const std::optional<std::string> id = read_state_file(path("open"), 256);
  return id && is_transaction_id(*id) ? id : std::nullopt;
}

void State::set_open_transaction(const std::string& id) const { write_state_file(path("open"), id); }

void State::clear_open_transaction() const { remove_state_file(path("open")); }

Value State::generation() const {
  std::optional<Value> kept = json("generation.json");
  return kept ? std::move(*kept) : Value();
}

void State::set_generation(const Value& generation) const {
  write_state_file(path("generation.json"), to_json(generation));
}

Inventory State::inventory() const {
  const std::optional<Value> kept = json("inventory.json");
  return kept ? inventory_from(*kept) : Inventory();
}

void State::set_inventory(const Inventory& inventory) const {
  write_state_file(path("inventory.json"), to_json(to_value(inventory)));
}

std::set<std::string> State::mounts() const {
  const std::optional<Value> kept = json("mounts.json");
  const std::vector<std::string> points = kept ? kept->as_texts() : std::vector<std::string>();
  return {points.begin(), points.end()};
}

void State::set_mounts(const std::set<std::string>& points) const {
  if (points != mounts()) write_state_file(path("mounts.json"), to_json(Value::texts({points.begin(), points.end()})));
}

std::optional<Bundle> State::bundle(const std::string& digest) const {
  if (!is_sha256(digest)) return std::nullopt;
  const std::optional<std::string> text = read_state_file(path("bundles/" + digest));
  if (!text) return std::nullopt;
  try {
    Bundle bundle = bundle_from(from_json(*text));
    if (digest_of(bundle) == digest) return bundle;
  } catch (const Error&) {  // a damaged one is as good as none: the controller sends it again
  }
  remove_state_file(path("bundles/" + digest));
  return std::nullopt;
}

void State::keep_bundle(const std::string& digest, const Bundle& bundle) const {
  make_folders();
  write_state_file(path("bundles/" + digest), to_json(to_value(bundle)));
}

void State::prune_bundles(std::size_t count, const std::vector<std::string>& in_use) const {
  const std::vector<std::string> names = newest_first(path("bundles"));
  for (std::size_t i = count; i < names.size(); ++i) {
    if (std::ranges::find(in_use, names[i]) == in_use.end()) remove_state_file(path("bundles/" + names[i]));
  }
}

std::vector<std::string> State::transactions() const {
  std::vector<std::string> ids = newest_first(path("transactions"));
  std::erase_if(ids, [](const std::string& id) { return !is_transaction_id(id); });
  return ids;
}

bool is_transaction_id(const std::string& text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return text.size() >= 8 && text.size() <= 64 && text.front() != '-' && std::ranges::all_of(text, fits);
}

}  // namespace holdfast
