#include "checker.hpp"

#include <controller/store/store.hpp>
#include <reconcilers/host/transaction_record.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace holdfast::simulation {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_violations = 20;

bool is_own(const std::string& path) {
  const std::string units = "/etc/systemd/system/";
  if (path.starts_with("/var/lib/holdfast") || path.starts_with(units + "holdfast-")) return true;
  return path.starts_with(units + "sysinit.target.wants") || path == units + "multi-user.target.wants" ||
         path.starts_with(units + "multi-user.target.wants/holdfast-");
}

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Checker::Checker(Machine& machine, const Repository& repository, std::vector<std::unique_ptr<Host>>& hosts)
    : machine_(machine), repository_(repository), hosts_(hosts) {}

void Checker::wrong(const std::string& what) {
  const std::string text = std::to_string(machine_.now() / ms) + " ms: " + what;
  machine_.trace("WRONG " + what);
  if (violations_.size() < most_violations) violations_.push_back(text);
}

bool Checker::has_open(const Host& host) const { return host.exists("/var/lib/holdfast/open"); }

bool Checker::needs_a_person(const Host& host) const {
  const State state(host.root());
  const std::vector<std::string> ids = state.transactions();
  return std::ranges::any_of(ids,
                             [&](const auto& id) { return read_transaction(state, id).state == "rollback_failed"; });
}

/// Transactions that began and are not at their end, and on the way what every one of them exposes the host to.
std::vector<std::string> Checker::unfinished(const Host& host) {
  const State state(host.root());
  Seen& seen = seen_[host.name];
  std::vector<std::string> open;
  exposed_[host.name].clear();
  for (const std::string& id : state.transactions()) {
    if (seen.ended.contains(id)) continue;
    const TransactionRecord record = read_transaction(state, id);
    if (is_at_end(record.state)) {
      seen.ended.insert(id);
    } else if (!record.state.empty()) {
      open.push_back(id);
      const std::size_t number = repository_.number(record.request.commit);
      const bool touches = std::ranges::any_of(record.touched, [](const Touched& one) { return one.begun; });
      if (number < repository_.size() && repository_.wanted(number).is_bad() && touches) {
        exposed_[host.name].insert(record.request.commit);
      }
    }
  }
  return open;
}

void Checker::look_at(Host& host) {
  const State state(host.root());
  Seen& seen = seen_[host.name];
  collect_secrets(host);
  const std::int64_t epoch = state.epoch();
  if (epoch < seen.epoch) wrong("I3 " + host.name + ": the epoch fell to " + std::to_string(epoch));
  seen.epoch = std::max(seen.epoch, epoch);

  const std::string commit = state.generation().text_or("commit", "");
  const std::size_t number = repository_.number(commit);
  if (!commit.empty()) {
    const bool all_go_back = policy_of(machine_.seed()).on_failure == OnFailure::rollback_all;
    const bool faded = seen.has_confirmed && repository_.wanted(seen.confirmed).fades();
    // The same under another commit is the same.
    const bool is_before = number == seen.before || repository_.files(number) == repository_.files(seen.before);
    const bool goes_back = (all_go_back || faded) && is_before;
    if (seen.has_confirmed && number < seen.confirmed && !goes_back) {
      wrong("I4 " + host.name + ": went back from commit " + std::to_string(seen.confirmed) + " to " +
            std::to_string(number));
    }
    // Where somebody's edit made the service well, there was nothing bad to see.
    if (tampered_[host.name].contains(configuration_path)) looked_good_.insert(commit);
    // A check that failed before a change is not blamed on it.
    if (faded && number != seen.confirmed) looked_good_.insert(commit);
    if (repository_.wanted(number).is_bad() && !looked_good_.contains(commit)) {
      wrong("I9 " + host.name + ": confirmed the bad commit " + commit);
    }
    if (seen.has_confirmed && number > seen.confirmed) seen.before = seen.confirmed;
    seen.confirmed = number;
    seen.has_confirmed = true;
  }

  const std::vector<std::string> open = unfinished(host);
  if (open.size() > 1) wrong("I5 " + host.name + ": open at once: " + open[0] + " and " + open[1]);
  check_exposure();
  if (open.empty() && !has_open(host) && seen.has_confirmed && !needs_a_person(host)) check_files(host, number);
}

void Checker::check_files(Host& host, std::size_t number) {
  std::set<std::string>& tampered = tampered_[host.name];
  std::map<std::string, std::string> files = repository_.files(number);
  files.try_emplace(extra_path, "");
  for (const auto& [path, content] : files) {
    const bool as_wanted = host.exists(path) ? !content.empty() && host.read(path) == content : content.empty();
    if (as_wanted) {
      tampered.erase(path);
    } else if (!tampered.contains(path)) {
      wrong("I1 " + host.name + ": " + path + " is not as commit " + std::to_string(number) +
            " wants it: " + (host.exists(path) ? host.read(path) : "not there"));
    }
  }
}

void Checker::check_exposure() {
  std::map<std::string, int> hosts;
  for (const auto& [host, commits] : exposed_) {
    for (const std::string& commit : commits) ++hosts[commit];
  }
  for (const auto& [commit, count] : hosts) {
    if (count > 1 && !looked_good_.contains(commit))
      wrong("I9 the bad commit " + commit.substr(0, 8) + " is open on " + std::to_string(count) + " hosts");
  }
}

void Checker::sees_change(Host& host, const std::string& path) {
  if (is_own(path)) return;
  const State state(host.root());
  const std::optional<std::string> open = state.open_transaction();
  if (!open) return wrong("I2 " + host.name + ": " + path + " is changed without an open transaction");
  const TransactionRecord record = read_transaction(state, *open);
  const std::string name = path.substr(0, path.rfind("/.holdfast-"));  // temporary files beside it
  const bool planned = std::ranges::any_of(record.touched, [&](const Touched& one) {
    return (one.action.id.name == path || one.action.id.name.starts_with(name + "/")) && one.begun;
  });
  if (!planned) wrong("I2 " + host.name + ": " + path + " is changed, and " + *open + " does not say so");
}

void Checker::collect_secrets(const Host& host) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(host.real("/var/lib/holdfast/secrets"), error)) {
    if (entry.path().filename() == ".key" || !entry.is_regular_file()) continue;
    if (std::string secret = read_all(entry.path()); secret.size() >= 16) secrets_.insert(std::move(secret));
  }
}

void Checker::sees_text(const std::string& where, std::string_view text) {
  for (const std::string& secret : secrets_) {
    if (text.find(secret) != std::string_view::npos) wrong("I10 a secret is in " + where);
  }
}

/// What the runner keeps for itself, but for the places that are made to hold secrets.
void Checker::check_kept(const Host& host) {
  for (const char* folder : {"transactions", "bundles"}) {
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(host.real("/var/lib/holdfast/") + folder, error)) {
      if (entry.is_regular_file())
        sees_text(host.name + " " + entry.path().filename().string(), read_all(entry.path()));
    }
  }
}

void Checker::see_rest(Host& host, bool last) {
  collect_secrets(host);
  check_kept(host);
  look_at(host);
  if (host.read("/etc/foreign") != "somebody else's\n" || host.read("/opt/data/foreign") != "data\n") {
    wrong("I8 " + host.name + ": a foreign file is not what it was");
  }
  if (has_open(host)) wrong("I1 " + host.name + ": a transaction is open when all is quiet");
  const Seen& seen = seen_[host.name];
  if (last && (!seen.has_confirmed || seen.confirmed + 1 != repository_.size())) {
    wrong("I1 " + host.name + ": is not at the last commit, but at " +
          (seen.has_confirmed ? std::to_string(seen.confirmed) : "none"));
  }
  if (!seen.has_confirmed || needs_a_person(host)) return;
  if (looked_good_.contains(repository_.id(seen.confirmed))) return;
  const Init::Unit* unit = host.init().unit("app.service");
  if (unit == nullptr || unit->active != "active") {
    wrong("I1 " + host.name + ": does not run its service");
  } else if (unit->configuration != host.read(configuration_path)) {
    wrong("I1 " + host.name + ": its service runs with an older configuration: " + unit->configuration);
  }
}

void Checker::compare(const std::string& state_path) {
  for (const auto& host : hosts_) collect_secrets(*host);
  sees_text("the controller's state", read_all(state_path));
  const std::string copy = state_path + ".compared";  // the controller may be writing
  for (const char* suffix : {"", "-journal"}) {
    std::error_code error;
    fs::remove(copy + suffix, error);
    fs::copy_file(state_path + suffix, copy + suffix, error);
  }
  const std::unique_ptr<Store> store = Store::open(copy);
  for (const auto& host : hosts_) {
    const State state(host->root());
    const std::optional<HostRecord> record = store->host(environment_name, host->name);
    for (const Deployment& one : store->deployments(environment_name, host->name, 200)) {
      const std::string told = std::string(to_text(one.outcome));
      const std::string journal = read_transaction(state, one.transaction).state;
      // Who waits for a person is not asked, before that one says `retry`.
      if (one.outcome == holdfast::Outcome::running && !(record && record->state == "rollback_failed"))
        wrong("I7 " + host->name + ": " + one.transaction + " runs for ever");
      const bool good = one.outcome == holdfast::Outcome::deployed || one.outcome == holdfast::Outcome::repaired;
      const std::size_t number = repository_.number(one.commit);
      const bool faded = number < repository_.size() && repository_.wanted(number).fades() &&
                         one.outcome == holdfast::Outcome::rolled_back;  // by another transaction, later
      if (!journal.empty() && good != (journal == "confirmed") && !faded) {
        wrong("I7 " + host->name + ": history says " + one.transaction + " is " + told + ", the host " + journal);
      }
      for (const Hold& hold : store->holds(environment_name)) {
        if (hold.host == host->name && hold.commit == one.commit && one.begun_ms > hold.since_ms &&
            one.cause != "drift") {
          wrong("I6 " + host->name + ": " + one.commit.substr(0, 8) + " was held, and tried again");
        }
      }
    }
    const std::string live = state.generation().text_or("bundle_digest", "");
    if (!record) {
      wrong("I7 " + host->name + ": is not in the controller's state");
    } else if (record->live_bundle != live && record->state == "converged") {
      wrong("I7 " + host->name + ": status says converged at " + record->live_commit.substr(0, 8) + ", the host " +
            state.generation().text_or("commit", "").substr(0, 8));
    }
  }
}

}  // namespace holdfast::simulation
