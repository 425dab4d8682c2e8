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

SessionPool::~SessionPool() { stop_listening(); }

bool SessionPool::stale(const Kept& session, Deadline now) const {
  return now - session.used > limits_.idle || now - session.born > limits_.age;
}

SessionPool::Lease SessionPool::checkout(const Host& host, Deadline deadline) {
  std::string key = key_of(host);
  Kept found;
  {
    const std::lock_guard lock(mutex_);
    found = take_out(key);
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

SessionPool::Kept SessionPool::take_out(const std::string& key) {
  const auto at = sessions_.find(key);
  if (at == sessions_.end()) return {};
  listener_.remove(key, at->second.client ? at->second.client->wake_fd() : -1);
  calm_.erase(key);
  Kept kept = std::move(at->second);
  sessions_.erase(at);
  return kept;
}

void SessionPool::give_back(const std::string& key, std::unique_ptr<RunnerClient> client, Deadline born) {
  if (!client->alive()) return;
  Kept session{
      .host = key.substr(0, key.find('\0')), .client = std::move(client), .born = born, .used = Deadline::clock::now()};
  std::vector<Said> said;
  std::vector<Kept> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto other = sessions_.find(key);
    if (other != sessions_.end() && other->second.born >= session.born) {
      gone.push_back(std::move(session));
    } else {
      gone.push_back(take_out(key));
      listener_.add(key, session.client->wake_fd());
      sessions_[key] = std::move(session);
      hear(key, said, gone);  // what arrived with an answer wakes nobody any more
    }
  }
  tell(said);
}

void SessionPool::sweep() {
  std::vector<Said> said;
  std::vector<Kept> gone;
  {
    const std::lock_guard lock(mutex_);
    const Deadline now = Deadline::clock::now();
    std::vector<std::string> keys;
    for (const auto& [key, session] : sessions_) keys.push_back(key);
    for (const std::string& key : keys) {
      if (stale(sessions_.at(key), now)) {
        gone.push_back(take_out(key));
      } else {
        hear(key, said, gone);
      }
    }
  }
  tell(said);
}

void SessionPool::forget(const Host& host) {
  Kept gone;
  const std::lock_guard lock(mutex_);
  gone = take_out(key_of(host));
}

void SessionPool::listen(OnChanged on_changed) {
  stop_listening();
  {
    const std::lock_guard lock(telling_);
    on_changed_ = std::move(on_changed);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { hear_all(stop); });
}

void SessionPool::stop_listening() {
  thread_ = {};
  const std::lock_guard lock(telling_);
  on_changed_ = {};
}

/// A session that has just said something is not listened to for a while: who talks without end fills its own window.
void SessionPool::hear_all(const std::stop_token& stop) {
  constexpr int look_ms = 200;
  constexpr std::chrono::milliseconds calm{500};
  while (!stop.stop_requested()) {
    const std::vector<std::uint64_t> ready = listener_.wait(look_ms);
    std::vector<Said> said;
    std::vector<Kept> gone;
    {
      const std::lock_guard lock(mutex_);
      const Deadline now = Deadline::clock::now();
      std::erase_if(calm_, [&](const auto& one) {
        const bool over = now >= one.second;
        if (over) listener_.add(one.first, sessions_.at(one.first).client->wake_fd());
        return over;
      });
      for (const std::string& key : listener_.names(ready)) {
        hear(key, said, gone);
        const auto kept = sessions_.find(key);
        if (kept == sessions_.end()) continue;
        listener_.remove(key, kept->second.client->wake_fd());
        calm_[key] = now + calm;
      }
    }
    tell(said);
  }
}

void SessionPool::hear(const std::string& key, std::vector<Said>& said, std::vector<Kept>& gone) {
  Kept& kept = sessions_.at(key);
  if (kept.client->wake_fd() >= 0) kept.client->hear();
  if (!kept.client->alive()) {
    gone.push_back(take_out(key));
    return;
  }
  if (auto changed = kept.client->take_changed()) said.push_back({kept.host, std::move(*changed)});
}

void SessionPool::tell(const std::vector<Said>& said) {
  const std::lock_guard lock(telling_);
  if (!on_changed_) return;
  for (const Said& one : said) on_changed_(one.host, one.what);
}

std::size_t SessionPool::kept() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace holdfast
