#pragma once

#include <reconcilers/host/channel.hpp>
#include <reconcilers/host/host_watch.hpp>
#include <reconcilers/host/journal.hpp>
#include <reconcilers/host/owner.hpp>
#include <reconcilers/host/planner.hpp>
#include <reconcilers/host/state.hpp>
#include <reconcilers/host/system.hpp>
#include <reconcilers/host/vault.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>

namespace holdfast {

/// What each request of the protocol does; serve.cpp has the table. Each gives the reply, or throws Error for an answer
/// of `error`. Messages before the reply go to the channel.
class Requests {
 public:
  Requests(System& system, const State& state, Channel& channel)
      : system_(system), state_(state), channel_(channel), vault_(state), owner_(state) {}

  [[nodiscard]] Value hello() const;
  /// The transaction that is not at its end; null where there is none.
  [[nodiscard]] Value open() const;

  Value plan(const Value& request);
  Value apply(const Value& request);
  Value attach(const Value& request);
  Value confirm(const Value& request);
  Value rollback(const Value& request);
  Value units(const Value& request);
  Value run(const Value& request);
  Value journal(const Value& request);
  Value status(const Value& request);
  Value backups(const Value& request);
  Value backup_run(const Value& request);
  Value backup_verify(const Value& request);
  Value watch(const Value& request);
  Value traces(const Value& request);

  /// What was asked to notice changes; null where nobody did.
  [[nodiscard]] HostWatch* watching() const { return watch_.get(); }
  void stop_watching() { watch_.reset(); }

 private:
  struct Kept {
    std::string digest{};
    Bundle bundle{};
  };

  /// The bundle that a plan is asked for, kept under its digest; null where the host doesn't know it.
  std::shared_ptr<const Kept> bundle_of(const Value& request);
  /// How the host's backups stand.
  [[nodiscard]] Value standings() const;
  /// Claims the host where the request does: null where it is the asker's, else who keeps it.
  Value claim(const Value& request);
  /// What came of the transactions that the request asks for: a list.
  [[nodiscard]] Value asked(const Value& request, bool ours) const;
  [[nodiscard]] Value came_of(const std::string& id, std::int64_t epoch) const;
  std::shared_ptr<const Kept> remember(std::string digest, Bundle bundle);
  void send_old_contents(const PreparedPlan& prepared);
  [[nodiscard]] JournalReader events_of(const std::string& transaction) const;
  Value follow(const std::string& transaction, JournalReader events, bool to_the_end);
  void revive(const std::string& transaction, const std::string& state);

  System& system_;
  const State& state_;
  Channel& channel_;
  HostVault vault_;
  HostOwner owner_;
  std::list<std::shared_ptr<const Kept>> kept_{};  // the newest first
  std::unique_ptr<HostWatch> watch_{};
};

}  // namespace holdfast
