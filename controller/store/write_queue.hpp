#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace holdfast {

/// Writes of many threads, as few transactions as their waiting allows: what comes while one transaction is synced to
/// the disk shares the next one. A write has returned only when it is on the disk.
class WriteQueue {
 public:
  using Work = std::function<void()>;

  /// Runs `work` inside a transaction, alone or with those of other threads; `transaction` runs what it is given
  /// between BEGIN and COMMIT, by one thread at a time. Throws what `work` or `transaction` threw.
  template <typename Transaction>
  void write(const Work& work, const Transaction& transaction) {
    Entry mine{.work = &work};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&mine);
    changed_.wait(lock, [&] { return mine.done || !busy_; });
    if (!mine.done) {
      busy_ = true;
      const std::vector<Entry*> batch = std::exchange(waiting_, {});
      lock.unlock();
      run(batch, transaction);
      lock.lock();
      busy_ = false;
      for (Entry* one : batch) one->done = true;
      changed_.notify_all();
    }
    if (mine.error) std::rethrow_exception(mine.error);
  }

 private:
  struct Entry {
    const Work* work = nullptr;
    std::exception_ptr error{};
    bool done = false;
  };

  template <typename Transaction>
  static void run(const std::vector<Entry*>& batch, const Transaction& transaction) {
    try {
      transaction([&batch] {
        for (Entry* one : batch) {
          try {
            (*one->work)();
          } catch (...) {
            if (batch.size() == 1) throw;           // nothing of it stays
            one->error = std::current_exception();  // a statement that failed has changed nothing
          }
        }
      });
    } catch (...) {
      for (Entry* one : batch) one->error = std::current_exception();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry*> waiting_{};
  bool busy_ = false;
};

}  // namespace holdfast
