#pragma once

#include <reconcilers/host/inventory.hpp>
#include <reconcilers/primitive.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// What the runner keeps on a host, in /var/lib/holdfast below the root prefix: one small file for each thing, replaced
/// atomically, for root only. Everything throws Error where the disk does.
class State {
 public:
  /// `root` is the prefix, "" for none. Makes nothing before something is written.
  explicit State(const std::string& root);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// The real path of a file of it.
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string transaction_path(const std::string& id, const std::string& name = "") const;
  void make_folders() const;

  /// The highest epoch that a controller ever showed here: lower ones are refused.
  [[nodiscard]] std::int64_t epoch() const;
  /// To `epoch` where that is higher: it never falls, whoever writes at the same time.
  void raise_epoch(std::int64_t epoch) const;

  /// The transaction that is not at its end: there is one at most.
  [[nodiscard]] std::optional<std::string> open_transaction() const;
  void set_open_transaction(const std::string& id) const;
  void clear_open_transaction() const;

  /// The newest confirmed one; null where there is none.
  [[nodiscard]] Value generation() const;
  void set_generation(const Value& generation) const;

  [[nodiscard]] Inventory inventory() const;
  void set_inventory(const Inventory& inventory) const;

  /// Mount points that managed paths lay below when they were last confirmed.
  [[nodiscard]] std::set<std::string> mounts() const;
  void set_mounts(const std::set<std::string>& points) const;

  /// Bundles are kept by their digest; nullopt for an unknown or damaged one.
  [[nodiscard]] std::optional<Bundle> bundle(const std::string& digest) const;
  void keep_bundle(const std::string& digest, const Bundle& bundle) const;
  /// Leaves the `count` newest and those of `in_use`.
  void prune_bundles(std::size_t count, const std::vector<std::string>& in_use) const;

  /// Ids of all transactions whose journals are kept, newest first.
  [[nodiscard]] std::vector<std::string> transactions() const;

 private:
  [[nodiscard]] std::optional<Value> json(const std::string& name) const;

  std::string folder_;
};

/// "[a-z0-9-]{8,64}", not beginning with a dash: an id from outside becomes part of paths and unit names.
bool is_transaction_id(const std::string& text);

}  // namespace holdfast
