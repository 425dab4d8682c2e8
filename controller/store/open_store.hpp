#pragma once

#include <controller/store/store.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace holdfast {

struct OpenedStore {
  std::unique_ptr<Store> store{};
  std::string note{};  // what has to be said: the file was damaged and is kept aside
};

/// Opens the state file for a process that acts on it. One that is damaged (no database, cut off, pages that don't fit)
/// is kept beside it as `….damaged-<time>`, with its journal, and a new one is begun: hosts know what they have been
/// through. `alone` says whether no other process uses the file; one that is used is not moved. Throws Error.
OpenedStore open_store(const std::string& path, const std::function<bool()>& alone, std::int64_t now_ms);

/// Throws Error where the folder is on a network file system: its locks and syncs are not to be relied on.
void refuse_network_folder(const std::string& folder);

}  // namespace holdfast
