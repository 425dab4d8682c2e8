#include <reconcilers/host/old_runners.hpp>

#include <manifests/digest.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kept_runners = 3;

/// Folders that the links beside them lead into.
std::set<std::string> linked(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const fs::path target = fs::read_symlink(entry.path(), error);
    if (!error) names.insert(target.parent_path().filename().string());
    error.clear();
  }
  return names;
}

}  // namespace

void remove_old_runners(const State& state) {
  const fs::path folder = state.path("bin");
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, std::string>> runners;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!is_sha256(name) || entry.is_symlink(error)) continue;
    const auto time = fs::last_write_time(entry.path() / "holdfast-host", error);
    if (!error) runners.emplace_back(time, name);
    error.clear();
  }
  const std::set<std::string> in_use = linked(folder);
  std::ranges::sort(runners, std::greater<>());
  for (std::size_t i = kept_runners; i < runners.size(); ++i) {
    if (!in_use.contains(runners[i].second)) fs::remove_all(folder / runners[i].second, error);
  }
}

}  // namespace holdfast
