#include <reconcilers/host/confirm.hpp>

#include <reconcilers/host/dead_man.hpp>
#include <reconcilers/host/guards.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/old_runners.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/transaction_record.hpp>
#include <reconcilers/host/vault.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/releases.hpp>

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

namespace holdfast {

namespace {

constexpr std::chrono::seconds lock_patience{10};
constexpr std::size_t kept_transactions = 20;
constexpr std::size_t kept_undos = 5;
constexpr std::size_t kept_bundles = 5;
constexpr std::int64_t default_keep = 5;

void update_inventory(const State& state, const TransactionRecord& transaction, const Bundle& bundle) {
  std::vector<PrimitiveId> made;
  std::vector<PrimitiveId> removed;
  for (const Touched& one : transaction.touched) {
    if (one.action.id.type == PrimitiveType::unit || !one.begun) continue;
    if (!is_present(one.action.from) && is_present(one.action.to)) made.push_back(one.action.id);
    if (!is_present(one.action.to)) removed.push_back(one.action.id);
  }
  state.set_inventory(next_inventory(state.inventory(), bundle, made, removed));
}

/// One that is not mounted now is remembered as long as anything managed lies below it.
void remember_mounts(const System& system, const State& state) {
  const Inventory inventory = state.inventory();
  std::set<std::string> points = mounts_of(system, inventory);
  for (const std::string& point : state.mounts()) {
    const auto lies_below = [&](const auto& entry) { return entry.first.name.starts_with(point + "/"); };
    if (std::ranges::any_of(inventory, lies_below)) points.insert(point);
  }
  state.set_mounts(points);
}

/// Releases beyond the number that is kept, and all of those that the transaction removed.
void remove_releases(System& system, const TransactionRecord& transaction, const Bundle& bundle) {
  std::set<std::string> wanted;
  for (const Wanted& one : bundle.wanted) {
    if (one.id.type == PrimitiveType::tree && is_present(one.attributes)) wanted.insert(one.id.name);
  }
  for (const Wanted& one : bundle.wanted) {
    if (!wanted.contains(one.id.name)) continue;
    const Value parameters = one.parameters;
    prune_releases(
        system, {.folder = parent_of(one.id.name),
                 .link = parameters.text_or("link", ""),
                 .keep = static_cast<std::size_t>(std::max<std::int64_t>(parameters.int_or("keep", default_keep), 1)),
                 .in_use = wanted});
  }
  for (const Touched& one : transaction.touched) {
    if (one.action.id.type != PrimitiveType::tree || is_present(one.action.to)) continue;
    prune_releases(system, {.folder = parent_of(one.action.id.name), .link = "", .keep = 0, .in_use = wanted});
  }
}

/// Directories that nobody wants any more and that became empty with the releases in them.
void remove_empty_directories(System& system, const State& state, const Bundle& bundle) {
  Inventory inventory = state.inventory();
  std::vector<Wanted> candidates = prune_candidates(bundle, inventory);
  std::ranges::sort(candidates, [](const Wanted& a, const Wanted& b) { return a.id.name.size() > b.id.name.size(); });
  bool changed = false;
  for (const Wanted& one : candidates) {
    if (one.id.type != PrimitiveType::directory || !system.remove_directory(one.id.name)) continue;
    inventory.erase(one.id);
    changed = true;
  }
  if (changed) state.set_inventory(inventory);
}

/// The journals of the newest transactions stay; of the newest few of them also what their undo would need.
void collect_garbage(const State& state) {
  const std::vector<std::string> ids = state.transactions();
  std::set<std::string> contents;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i >= kept_transactions) {
      std::error_code error;
      std::filesystem::remove_all(state.transaction_path(ids[i]), error);
    } else if (i < kept_undos) {
      for (const Touched& one : read_transaction(state, ids[i]).touched) {
        const auto content = one.action.from.find("content");
        if (content != one.action.from.end()) contents.insert(content->second.as_text());
      }
    }
  }
  HostVault(state).keep_only(contents);
  state.prune_bundles(kept_bundles, {state.generation().text_or("bundle_digest", "")});
}

void settle(System& system, const State& state, const std::string& id) {
  const TransactionRecord transaction = read_transaction(state, id);
  for (const std::string& path : transaction.reserved) system.remove_file(path);
  if (const std::optional<Bundle> bundle = state.bundle(transaction.request.bundle_digest)) {
    HOLDFAST_FAILPOINT("confirm.written");
    update_inventory(state, transaction, *bundle);
    remember_mounts(system, state);
    HOLDFAST_FAILPOINT("confirm.inventory");
    state.set_generation(Map{{"transaction", id},
                             {"bundle_digest", transaction.request.bundle_digest},
                             {"commit", transaction.request.commit},
                             {"confirmed_at", timestamp(system.now_ns())}});
    HOLDFAST_FAILPOINT("confirm.generation");
    remove_releases(system, transaction, *bundle);
    remove_empty_directories(system, state, *bundle);
  }
  collect_garbage(state);
  remove_old_runners(state);
  HOLDFAST_FAILPOINT("confirm.collected");
  disarm_dead_man(system, id);
  HOLDFAST_FAILPOINT("confirm.disarmed");
  Journal(state.transaction_path(id, "journal")).append(Map{{"record", "settled"}});
  HOLDFAST_FAILPOINT("confirm.settled");
  state.clear_open_transaction();
}

}  // namespace

std::string confirm_transaction(System& system, const State& state, const std::string& id, std::int64_t epoch) {
  const std::optional<FileLock> lock = FileLock::take(state.path("lock"), lock_patience);
  const TransactionRecord transaction = read_transaction(state, id);
  if (transaction.state.empty()) throw Error("there is no transaction \"" + id + "\" on this host");
  if (is_at_end(transaction.state)) {
    if (lock && transaction.state == "confirmed" && !transaction.settled) settle(system, state, id);
    return transaction.state;
  }
  if (!lock) throw Error("a runner is at work on this host: ask again");
  if (epoch < state.epoch()) {
    throw Error("the epoch " + std::to_string(epoch) + " is over: a controller with the epoch " +
                std::to_string(state.epoch()) + " has taken over this host");
  }
  if (transaction.state != "pending") return transaction.state;
  Journal(state.transaction_path(id, "journal"))
      .append(Map{{"record", "state"}, {"state", "confirmed"}, {"at", timestamp(system.now_ns())}});
  settle(system, state, id);
  return "confirmed";
}

void settle_confirmed(System& system, const State& state) {
  const std::optional<std::string> open = state.open_transaction();
  if (!open || read_transaction(state, *open).state != "confirmed") return;
  const std::optional<FileLock> lock = FileLock::take(state.path("lock"), std::chrono::milliseconds(0));
  if (lock) settle(system, state, *open);
}

}  // namespace holdfast
