#include "host.hpp"

#include "system.hpp"

#include <reconcilers/host/serve.hpp>
#include <reconcilers/host/transaction.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace holdfast::simulation {

namespace {

namespace fs = std::filesystem;

constexpr const char* passwd = "root:x:0:0:root:/root:/bin/sh\n";
constexpr const char* group = "root:x:0:\n";

void run_words(Host& host, const std::vector<std::string>& words) {
  SimulatedSystem system(host);
  const State state(system.root());
  if (words.at(0) == "execute") run_transaction(system, state, words.at(1));
  if (words.at(0) == "recover") recover(system, state, words);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += " " + word;
  return text;
}

}  // namespace

Host::Host(Machine& machine, const std::string& host_name, const std::string& folder)
    : machine_(machine), root_(folder + "/" + host_name), init_(*this) {
  name = host_name;
  boot_file = folder + "/" + host_name + ".boot";
  for (const char* path : {"/etc/systemd/system", "/var/lib", "/opt/data"}) fs::create_directories(real(path));
  put("/etc/passwd", passwd);
  put("/etc/group", group);
  put("/etc/machine-id", std::string(32, host_name.back()) + "\n");
  put("/etc/foreign", "somebody else's\n");
  put("/opt/data/foreign", "data\n");
  std::ofstream(boot_file) << host_name + "-boot-0\n";
}

std::string Host::read(const std::string& path) const {
  std::ifstream file(real(path), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool Host::exists(const std::string& path) const { return fs::exists(fs::symlink_status(real(path))); }

void Host::put(const std::string& path, const std::string& bytes) {
  std::ofstream(real(path), std::ios::binary | std::ios::trunc) << bytes;
  note_change(path);
}

void Host::note_change(const std::string& path) {
  struct stat status {};
  if (::lstat(real(path).c_str(), &status) != 0) return;
  changed_[{status.st_ino, status.st_ctim.tv_sec * second + status.st_ctim.tv_nsec}] = machine_.now();
}

/// What nobody noted was changed by somebody who died over it.
Time Host::changed_at(const std::string&, std::uint64_t inode, std::int64_t real_changed) {
  return changed_.try_emplace({inode, real_changed}, machine_.now()).first->second;
}

void Host::forget(int process) {
  processes_.erase(process);
  if (const auto found = changing.find(process); found != changing.end()) {
    note_change(found->second);
    changing.erase(found);
  }
  if (on_process_end) on_process_end();
}

Process& Host::start_runner(const std::vector<std::string>& words, std::function<void(bool killed)> on_end) {
  Process& process = machine_.start(
      name + joined(words), this, [this, words] { run_words(*this, words); }, std::move(on_end));
  processes_[process.id] = &process;
  process.at_end.emplace_back([this, id = process.id] { forget(id); });
  return process;
}

std::shared_ptr<Link> Host::start_serve() {
  auto link = std::make_shared<Link>();
  const auto open = [this] { return is_reachable(); };
  link->down->open = open;
  link->up->open = open;
  link->up->tap = on_sent;
  std::erase_if(links_, [](const auto& one) { return one.expired(); });
  links_.push_back(link);
  Process& process = machine_.start(name + " serve", this, [this, link] {
    const int input = add_reader(link->down);
    const int output = add_writer(link->up, [this] { return latency(); });
    SimulatedSystem system(*this);
    serve(system, input, output);
  });
  processes_[process.id] = &process;
  process.at_end.emplace_back([this, id = process.id, link] {
    forget(id);
    link->up->closed = true;
    link->down->reader_gone = true;
    machine_.alarm(link->up->last_arrival);
  });
  return link;
}

Time Host::latency() {
  return static_cast<Time>(slow * static_cast<double>(200'000 + machine_.random(static_cast<std::uint64_t>(3 * ms))));
}

void Host::reset_connections() {
  for (const auto& one : links_) {
    const std::shared_ptr<Link> link = one.lock();
    if (!link) continue;
    link->up->broken = true;
    link->down->broken = true;
  }
}

void Host::partition(Time until) {
  machine_.trace(name + " is cut off for " + std::to_string((until - machine_.now()) / ms) + " ms");
  partitioned_until_ = std::max(partitioned_until_, until);
  machine_.alarm(until);
  // Keepalive of the controller's side gives up first; the host notices when it is told, or much later.
  machine_.at(machine_.now() + 20 * second, [this] {
    if (is_reachable()) return;
    for (const auto& one : links_) {
      if (const std::shared_ptr<Link> link = one.lock()) link->up->broken = true;
    }
    machine_.at(std::min(partitioned_until_, machine_.now() + 60 * second), [links = links_] {
      for (const auto& one : links) {
        const std::shared_ptr<Link> link = one.lock();
        if (link && link->up->broken) link->down->broken = true;
      }
    });
  });
}

void Host::cut_power(Time down) {
  if (!up_ && processes_.empty()) return;
  machine_.trace(name + " loses power");
  up_ = false;
  init_.clear();
  std::vector<Process*> all;
  for (const auto& [id, process] : processes_) all.push_back(process);
  processes_.clear();
  const auto links = links_;
  machine_.at(machine_.now() + 1 * second + static_cast<Time>(machine_.random(19)) * second, [links] {
    for (const auto& one : links) {
      if (const std::shared_ptr<Link> link = one.lock()) link->up->broken = link->down->broken = true;
    }
  });
  const int boot_number = ++boots_;
  machine_.at(machine_.now() + down, [this, boot_number] {
    if (boot_number == boots_) boot();
  });
  Process* own = machine_.running();
  for (Process* process : all) {
    if (process != own) machine_.kill(*process);
  }
  if (std::ranges::find(all, own) != all.end()) machine_.kill(*own);
}

void Host::boot() {
  machine_.trace(name + " boots");
  booted = machine_.now();
  std::ofstream(boot_file, std::ios::trunc) << name + "-boot-" + std::to_string(boots_) + "\n";
  const bool armed =
      exists("/etc/systemd/system/sysinit.target.wants/holdfast-recover.service") && exists("/var/lib/holdfast/open");
  const int boot_number = boots_;
  if (!armed) return start_services();
  start_runner({"recover", "--boot"}, [this, boot_number](bool) {
    if (boot_number == boots_) start_services();
  });
}

void Host::start_services() {
  init_.start_enabled();
  up_ = true;
  machine_.alarm(machine_.now());
  const bool late = exists("/etc/systemd/system/multi-user.target.wants/holdfast-recover-late.service") &&
                    exists("/var/lib/holdfast/open");
  if (late) start_runner({"recover"});
}

}  // namespace holdfast::simulation
