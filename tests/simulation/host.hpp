#pragma once

#include "init.hpp"
#include "pipes.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::simulation {

/// A connection's two directions, as both ends hold them.
struct Link {
  std::shared_ptr<Pipe> down = std::make_shared<Pipe>();  // to the host
  std::shared_ptr<Pipe> up = std::make_shared<Pipe>();
};

/// A managed host: a folder as its disk, the model of its systemd, and real runner code in processes. Its disk outlives
/// power cuts; that what was written and not synced may be lost is another test's matter (tests/reconcilers/host).
class Host : public Computer {
 public:
  Host(Machine& machine, const std::string& name, const std::string& folder);

  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::string real(const std::string& path) const { return root_ + path; }
  [[nodiscard]] std::string read(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  /// Somebody else's doing, not the runner's.
  void put(const std::string& path, const std::string& bytes);
  Init& init() { return init_; }
  Machine& machine() { return machine_; }

  /// One of the runner's subcommands, as main() would take it.
  Process& start_runner(const std::vector<std::string>& words, std::function<void(bool killed)> on_end = {});
  /// What sshd does for a connection that asks for `serve`.
  std::shared_ptr<Link> start_serve();
  [[nodiscard]] bool busy() const { return !processes_.empty(); }
  [[nodiscard]] const std::map<int, Process*>& processes() const { return processes_; }

  void cut_power(Time down);
  [[nodiscard]] bool is_up() const { return up_; }
  /// Nothing gets through until then.
  void partition(Time until);
  /// Every connection is reset.
  void reset_connections();
  [[nodiscard]] bool is_reachable() const { return up_ && machine_.now() >= partitioned_until_; }
  [[nodiscard]] Time latency();
  double slow = 1;

  /// Files whose change the virtual clock has to date: the kernel would write the real time.
  void note_change(const std::string& path);
  [[nodiscard]] Time changed_at(const std::string& path, std::uint64_t inode, std::int64_t real_changed);
  std::map<int, std::string> changing{};  // by process: what it is about to change
  /// Told before anything of the host that is not the runner's own changes.
  std::function<void(const std::string& path)> on_change{};
  /// Told what leaves the host.
  std::function<void(std::string_view bytes)> on_sent{};
  /// A process of the host has ended.
  std::function<void()> on_process_end{};

 private:
  void boot();
  void start_services();
  void forget(int process);

  Machine& machine_;
  std::string root_;
  Init init_;
  std::map<int, Process*> processes_{};
  std::vector<std::weak_ptr<Link>> links_{};
  std::map<std::pair<std::uint64_t, std::int64_t>, Time> changed_{};  // by inode and real time
  bool up_ = true;
  int boots_ = 0;
  Time partitioned_until_ = 0;
};

}  // namespace holdfast::simulation
