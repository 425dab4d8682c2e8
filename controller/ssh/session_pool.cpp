#include <controller/ssh/session_pool.hpp>

#include <manifests/error.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast {

namespace {

/// Everything that decides whom we talk to and as whom: a host whose pinned key or login changed is another one.
std::string key_of(const Host& host) {
  std::string key = host.name;
  const auto add = [&key](const std::string& part) { (key += '\0') += part; };
  for (const std::string& part :
       {host.connection, host.address, std::to_string(host.port), host.user, host.identity, host.jump, host.root}) {
    add(part);
  }
  for (const std::string& pinned : host.host_keys) add(pinned);
  return key;
}

}  // namespace

SessionPool::Lease::Lease(SessionPool& pool, std::string key, std::unique_ptr<RunnerClient> client, Deadline born,
                          bool kept)
    : pool_(&pool), key_(std::move(key)), client_(std::move(client)), born_(born), kept_(kept) {}

SessionPool::Lease::Lease(Lease&&) noexcept = default;

SessionPool::Lease::~Lease() {
  if (client_ && !discarded_) pool_->give_back(key_, std::move(client_), born_);
}

SessionPool::SessionPool(Connect connect, const Limits& limits) : connect_(std::move(connect)), limits_(limits) {}

SessionPool::SessionPool(const ConnectOptions& options)
    : SessionPool(
          [options](const Host& host, Deadline deadline) {
            auto client = std::make_unique<RunnerClient>(holdfast::connect(host, options, deadline));
            client->introduce(options.controller_id, options.controller_name);
            return client;
          },
          Limits{}) {}

SessionPool::~SessionPool() = default;

bool SessionPool::stale(const Kept& session, Deadline now) const {
  return now - session.used > limits_.idle || now - session.born > limits_.age;
}

SessionPool::Lease SessionPool::checkout(const Host& host, Deadline deadline) {
  std::string key = key_of(host);
  Kept found;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = sessions_.find(key); at != sessions_.end()) {
      found = std::move(at->second);
      sessions_.erase(at);
    }
  }
  if (found.client && !stale(found, Deadline::clock::now()) && found.client->alive()) {
    return {*this, std::move(key), std::move(found.client), found.born, true};
  }
  return open(host, deadline);
}

SessionPool::Lease SessionPool::open(const Host& host, Deadline deadline) {
  return {*this, key_of(host), fresh(host, deadline), Deadline::clock::now(), false};
}

std::unique_ptr<RunnerClient> SessionPool::fresh(const Host& host, Deadline deadline) {
  struct Turn {
    SessionPool& pool;
    std::multiset<Deadline>::iterator place;
    ~Turn() {
      const std::lock_guard lock(pool.mutex_);
      pool.connecting_.erase(place);
      pool.room_.notify_one();
    }
  } const turn{*this, take_turn(host, deadline)};
  return connect_(host, deadline);
}

/// Waits until fewer than the limit were begun lately.
std::multiset<Deadline>::iterator SessionPool::take_turn(const Host& host, Deadline deadline) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const Deadline now = Deadline::clock::now();
    const auto young = connecting_.upper_bound(now - limits_.patience);
    const auto number = std::distance(young, connecting_.end());
    if (number < limits_.connecting) return connecting_.insert(now);
    if (now >= deadline) {
      throw Error("timed out waiting for a turn to connect to \"" + host.name +
                  "\": " + std::to_string(limits_.connecting) + " connections were begun just before");
    }
    room_.wait_until(lock, std::min(deadline, *young + limits_.patience));
  }
}

void SessionPool::give_back(const std::string& key, std::unique_ptr<RunnerClient> client, Deadline born) {
  if (!client->alive()) return;
  Kept session{.client = std::move(client), .born = born, .used = Deadline::clock::now()};
  const std::lock_guard lock(mutex_);
  Kept& slot = sessions_[key];
  if (!slot.client || slot.born < session.born) std::swap(slot, session);
}

void SessionPool::sweep() {
  std::map<std::string, Kept> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(sessions_);
  }
  const Deadline now = Deadline::clock::now();
  std::erase_if(all, [&](auto& entry) { return stale(entry.second, now) || !entry.second.client->alive(); });
  const std::lock_guard lock(mutex_);
  sessions_.merge(all);  // one that came back meanwhile stays
}

void SessionPool::forget(const Host& host) {
  Kept gone;
  const std::lock_guard lock(mutex_);
  if (const auto at = sessions_.find(key_of(host)); at != sessions_.end()) {
    gone = std::move(at->second);
    sessions_.erase(at);
  }
}

std::size_t SessionPool::kept() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace holdfast
