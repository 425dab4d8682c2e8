#pragma once

#include <controller/git/mirror.hpp>
#include <controller/git/publish.hpp>
#include <manifests/value.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// What a fetch child is told on its standard input.
struct FetchRequest {
  std::string folder{};  // the mirror
  Remote remote{};
  std::int64_t deadline_ms = 60'000;        // the child ends itself by then, also when its parent is gone
  std::uint64_t max_bytes = 2'000'000'000;  // of one fetch, as received
  std::uint32_t max_objects = 5'000'000;
  std::string only_branch{};      // instead of all branches and tags; empty: all
  std::string reference{};        // one besides branches and tags, by its full name; empty: none
  std::vector<RefUpdate> push{};  // what is to be pushed; nothing is fetched then
};

Value to_value(const FetchRequest& request);
FetchRequest fetch_request_from(const Value& value);

/// How a fetch child ends.
enum class FetchExit { done = 0, failed = 1, damaged = 3 };

/// Runs one fetch in this process. Throws Error with what the remote said; sets `damaged` where the mirror's own
/// objects are at fault, so that it must be made anew.
void run_fetch(const FetchRequest& request, bool& damaged);

/// Runs one push in this process. Throws Error with what the remote said.
std::vector<RejectedUpdate> run_push(const FetchRequest& request);
/// What a push child prints, and what its parent makes of it.
Value to_value(const std::vector<RejectedUpdate>& rejected);
Pushed pushed_from(const std::string& answer, const std::vector<RefUpdate>& updates);

}  // namespace holdfast
