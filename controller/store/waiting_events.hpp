#pragma once

#include <controller/store/store.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace holdfast {

/// Lines of the history that wait to be written with something else: a sync of the disk for each would be what a
/// thousand hosts wait for. Any thread may use it.
class WaitingEvents {
 public:
  using List = std::vector<std::pair<std::int64_t, DeploymentEvent>>;  // by deployment

  /// True where it is time to write them, whatever else is written.
  bool add(std::int64_t deployment, const DeploymentEvent& event) {
    constexpr std::size_t most = 200;
    constexpr std::int64_t longest_ms = 500;  // while more come
    const std::scoped_lock lock(mutex_);
    list_.emplace_back(deployment, event);
    return list_.size() >= most || event.at_ms - list_.front().second.at_ms > longest_ms;
  }
  [[nodiscard]] bool empty() const {
    const std::scoped_lock lock(mutex_);
    return list_.empty();
  }

  /// All that wait, taken out; they come back unless they are written.
  class Taken {
   public:
    explicit Taken(WaitingEvents& from) : from_(from) {
      const std::scoped_lock lock(from_.mutex_);
      list_.swap(from_.list_);
    }
    ~Taken() {
      constexpr std::ptrdiff_t most = 20'000;  // while nothing can be written: the newest
      if (written_) return;
      const std::scoped_lock lock(from_.mutex_);
      list_.insert(list_.end(), from_.list_.begin(), from_.list_.end());
      if (list_.size() > most) list_.erase(list_.begin(), list_.end() - most);
      from_.list_ = std::move(list_);
    }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    [[nodiscard]] const List& list() const { return list_; }
    void are_written() { written_ = true; }

   private:
    WaitingEvents& from_;
    List list_{};
    bool written_ = false;
  };

 private:
  mutable std::mutex mutex_;
  List list_;
};

}  // namespace holdfast
