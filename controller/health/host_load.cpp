#include <controller/health/host_load.hpp>

#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace holdfast {

namespace {

constexpr std::int64_t ask_ms = 5'000;

// Files of cgroups(7), version 2, and proc(5). The first five are not there in every place: see below.
constexpr const char* group_cpu = "/sys/fs/cgroup/cpu.stat";
constexpr const char* group_cpu_max = "/sys/fs/cgroup/cpu.max";
constexpr const char* group_memory = "/sys/fs/cgroup/memory.current";
constexpr const char* group_memory_max = "/sys/fs/cgroup/memory.max";
constexpr const char* group_memory_stat = "/sys/fs/cgroup/memory.stat";
constexpr const char* uptime = "/proc/uptime";
constexpr const char* memory_info = "/proc/meminfo";
constexpr const char* processor_times = "/proc/stat";

/// `head` with several files prints "==> name <==" before each.
std::map<std::string, std::string> files_in(std::string_view text) {
  std::map<std::string, std::string> files;
  std::string* file = nullptr;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("==> ") && line.ends_with(" <==")) {
      file = &files[line.substr(4, line.size() - 8)];
    } else if (file != nullptr) {
      *file += line + "\n";
    }
  }
  return files;
}

std::optional<double> number(const std::string& text) {
  std::istringstream in(text);
  double value = 0;
  if (!(in >> value) || !(value >= 0)) return std::nullopt;
  return value;
}

/// The number behind `name` (with what ends it, as "MemTotal:") in a file of names and numbers.
std::optional<double> named(const std::string& file, const std::string& name) {
  std::istringstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return number(line.substr(name.size()));
  }
  return std::nullopt;
}

/// "cpu0", "cpu1" and so on, as many as there are.
double processors_in(const std::string& file) {
  std::istringstream lines(file);
  double count = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool one = line.starts_with("cpu") && line.size() > 3 && std::isdigit(static_cast<unsigned char>(line[3])) != 0;
    count += one ? 1 : 0;
  }
  return count;
}

/// "max 100000" or "50000 100000": microseconds of processor time in a period.
double allowed(const std::string& file, double processors) {
  std::istringstream in(file);
  double quota = 0;
  double period = 0;
  if (!(in >> quota >> period) || !(quota > 0) || !(period > 0)) return processors;
  return std::min(processors, quota / period);
}

/// A group's memory where this is one with its own count (a container), else the machine's.
std::optional<double> memory_used(std::map<std::string, std::string>& files) {
  constexpr double kibibyte = 1024;
  const auto total = named(files[memory_info], "MemTotal:");
  if (!total || *total <= 0) return std::nullopt;
  const auto own = number(files[group_memory]);
  if (own) {
    const double most = std::min(number(files[group_memory_max]).value_or(*total * kibibyte), *total * kibibyte);
    const double cached = named(files[group_memory_stat], "inactive_file").value_or(0) +
                          named(files[group_memory_stat], "active_file").value_or(0);
    return most > 0 ? std::optional<double>(std::max(0.0, *own - cached) / most) : std::nullopt;
  }
  const auto available = named(files[memory_info], "MemAvailable:");
  if (!available || *available > *total) return std::nullopt;
  return (*total - *available) / *total;
}

/// Of /proc/stat's first line: user, nice, system, then idle and waiting, then interrupts, all in hundredths.
std::optional<double> machine_cpu_s(const std::string& file) {
  constexpr double ticks = 100;  // sysconf(_SC_CLK_TCK) on every Linux that Debian builds
  std::istringstream in(file);
  std::string name;
  std::vector<double> times(7);
  if (!(in >> name) || name != "cpu") return std::nullopt;
  for (double& time : times) {
    if (!(in >> time)) return std::nullopt;
  }
  return (times[0] + times[1] + times[2] + times[5] + times[6]) / ticks;
}

}  // namespace

std::optional<HostLoad> read_host_load(std::string_view text) {
  constexpr double microseconds = 1e6;
  auto files = files_in(text);
  const auto up = number(files[uptime]);
  const auto group_us = named(files[group_cpu], "usage_usec");
  const auto cpu_s = group_us ? std::optional<double>(*group_us / microseconds) : machine_cpu_s(files[processor_times]);
  const double processors = allowed(files[group_cpu_max], processors_in(files[processor_times]));
  const auto memory = memory_used(files);
  if (!up || !cpu_s || !memory || !(processors > 0)) return std::nullopt;
  return HostLoad{.uptime_s = *up, .cpu_s = *cpu_s, .processors = processors, .memory = *memory};
}

HostLoad host_load(HostProbe& probe, Deadline deadline) {
  std::vector<std::string> argv = {"head", "-v", "-c", "32768"};
  for (const char* file : {group_cpu, group_cpu_max, group_memory, group_memory_max, group_memory_stat, uptime,
                           memory_info, processor_times}) {
    argv.emplace_back(file);
  }
  const HostProbe::Result result = probe.run(argv, "", ask_ms, deadline);
  if (const auto load = read_host_load(result.output)) return *load;  // head fails where one file is not there
  constexpr std::size_t most = 200;
  throw Error("the host does not say how busy it is: " + printable(result.output.substr(0, most)));
}

std::optional<double> busy_between(const HostLoad& before, const HostLoad& after) {
  const double time = after.uptime_s - before.uptime_s;
  const double used = after.cpu_s - before.cpu_s;
  if (time <= 0 || used < 0 || after.processors <= 0) return std::nullopt;
  return used / time / after.processors;
}

}  // namespace holdfast
