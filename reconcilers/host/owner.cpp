#include <reconcilers/host/owner.hpp>

#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/transaction_record.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace holdfast {

namespace {

constexpr std::size_t longest_name = 200;
constexpr std::int64_t see_every_ms = 1'000;
constexpr std::int64_t default_lease_ms = 60'000;
constexpr std::int64_t least_lease_ms = 1'000;
constexpr std::int64_t longest_lease_ms = 86'400'000;
constexpr std::chrono::seconds lock_patience{10};

bool is_controller_id(const std::string& text) {
  return text.size() >= 8 && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

ControllerName controller_of(const Value& request) {
  const Value* found = request.find("controller");
  if (found == nullptr) return {};
  ControllerName controller{found->at("id").as_text(), printable(found->text_or("name", "")).substr(0, longest_name)};
  if (!is_controller_id(controller.id)) throw Error("expected the id of a controller, found another text");
  return controller;
}

std::optional<HostOwner::Kept> HostOwner::kept() const {
  const auto text = read_state_file(state_.path("owner.json"), 4096);
  if (!text) return std::nullopt;
  const Value value = from_json(*text);
  return Kept{{value.at("id").as_text(), value.text_or("name", "")}, value.int_or("epoch", 0)};
}

/// Once in a while and without waiting for the disk: what a crash loses of it makes the lease count from the boot.
void HostOwner::see(std::int64_t lease_ms) {
  const std::int64_t now = boot_clock_ms();
  if (written_ms_ >= 0 && now - written_ms_ < see_every_ms) return;
  const std::string text = to_json(Map{{"boot_id", current_boot_id()}, {"at_ms", now}, {"lease_ms", lease_ms}});
  const std::string path = state_.path("owner.seen");
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd) append_all(fd, text, path);
  written_ms_ = now;
}

bool HostOwner::has_open_transaction() const {
  const auto id = state_.open_transaction();
  return id && !is_at_end(read_transaction(state_, *id).state);
}

HostOwner::Other HostOwner::other(const Kept& kept) const {
  Other other{.name = kept.controller.name, .seen_ms_ago = boot_clock_ms()};
  std::int64_t lease_ms = default_lease_ms;
  try {
    const Value seen = from_json(read_state_file(state_.path("owner.seen"), 4096).value_or("{}"));
    lease_ms = std::clamp(seen.int_or("lease_ms", default_lease_ms), least_lease_ms, longest_lease_ms);
    if (seen.text_or("boot_id", "") == current_boot_id()) {
      other.seen_ms_ago = std::max<std::int64_t>(0, boot_clock_ms() - seen.int_or("at_ms", 0));
    }
  } catch (const Error&) {  // cut off by a crash: it counts from the boot
  }
  other.lapsed = other.seen_ms_ago >= lease_ms && !has_open_transaction();
  return other;
}

void HostOwner::take(const Claim& claim) {
  make_private_folder(state_.folder());
  if (claim.epoch > 0) state_.raise_epoch(claim.epoch);
  HOLDFAST_FAILPOINT("owner.fenced");
  write_state_file(
      state_.path("owner.json"),
      to_json(Map{{"id", claim.controller.id}, {"name", claim.controller.name}, {"epoch", state_.epoch()}}));
  HOLDFAST_FAILPOINT("owner.written");
}

std::optional<HostOwner::Other> HostOwner::claim(const Claim& claim) {
  auto owner = kept();
  if (!owner || owner->controller.id != claim.controller.id) {
    make_private_folder(state_.folder());
    const auto lock = FileLock::take(state_.path("owner.lock"), lock_patience);
    if (!lock) throw Error("another controller claims this host at this moment: ask again");
    owner = kept();
    if (owner && owner->controller.id != claim.controller.id) {
      Other now = other(*owner);
      const bool may = (now.lapsed || claim.adopt) && claim.epoch > state_.epoch();
      if (!may) return now;
    }
    if (!owner || owner->controller.id != claim.controller.id) {
      take(claim);
      written_ms_ = -1;
    }
  }
  see(std::clamp(claim.lease_ms, least_lease_ms, longest_lease_ms));
  return std::nullopt;
}

void HostOwner::require(const ControllerName& controller) {
  if (controller.id.empty()) return;
  const auto owner = kept();
  if (!owner || owner->controller.id == controller.id) return;
  throw Error("this host is kept by the controller \"" + owner->controller.name + "\", which took it over with epoch " +
              std::to_string(owner->epoch));
}

}  // namespace holdfast
