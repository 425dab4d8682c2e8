// Who changed what has drifted, as far as this host's logs tell.
#include <reconcilers/host/requests.hpp>

#include <reconcilers/host/deeds.hpp>

#include <manifests/error.hpp>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace holdfast {

namespace {

constexpr std::size_t most_ids = 20;
constexpr std::size_t apt_bytes = 64U << 10U;
constexpr std::chrono::milliseconds journal_deadline{1'500};
constexpr std::size_t journal_bytes = 1U << 20U;
constexpr int most_ancestors = 20;

/// We, who started us, and so on: the login that we came by is among them.
std::vector<std::int64_t> ancestors() {
  std::vector<std::int64_t> pids;
  for (std::int64_t pid = ::getpid(); pid > 1 && pids.size() < most_ancestors;) {
    pids.push_back(pid);
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    pid = 0;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("PPid:")) pid = std::atoll(line.c_str() + 5);
    }
  }
  return pids;
}

std::vector<Deed> deeds_here(const System& system) {
  const Output output = system.ask({.argv = {"journalctl", "-q", "--no-pager", "-o", "json", "-r", "-n", "2000",
                                             "--since=-12h", "--output-fields=MESSAGE,_PID,_COMM,_AUDIT_LOGINUID",
                                             "_COMM=sudo", "_COMM=sshd", "_COMM=sshd-session", "_COMM=su"},
                                    .deadline = journal_deadline,
                                    .output_bytes = journal_bytes});
  std::vector<Deed> deeds = without_own(deeds_of_journal(output.out), ancestors());
  std::ifstream history("/var/log/apt/history.log", std::ios::binary | std::ios::ate);
  if (!history) return deeds;
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(history.tellg(), 0));
  std::string text(std::min(size, apt_bytes), '\0');
  history.seekg(static_cast<std::streamoff>(size - text.size()));
  history.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(history.gcount()));
  std::ranges::move(deeds_of_apt(text), std::back_inserter(deeds));
  return deeds;
}

std::string account_of(const System& system, std::uint32_t uid) {
  const std::string number = std::to_string(uid);
  const std::string passwd = system.read("/etc/passwd", 1U << 20U).value_or("");
  for (std::size_t begin = 0; begin < passwd.size();) {
    const std::size_t end = std::min(passwd.find('\n', begin), passwd.size());
    const std::string line = passwd.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t name = line.find(':');
    const std::size_t password = line.find(':', name + 1);
    if (password == std::string::npos || !line.substr(password + 1).starts_with(number + ":")) continue;
    return line.substr(0, name) + " (uid " + number + ")";
  }
  return "uid " + number;
}

/// The file that tells when a thing changed, where there is one.
std::string file_of(const PrimitiveId& id) {
  switch (id.type) {
    case PrimitiveType::file:
    case PrimitiveType::link:
    case PrimitiveType::directory:
    case PrimitiveType::tree:
      return id.name;
    case PrimitiveType::user:
    case PrimitiveType::group:
      return "/etc/passwd";
    case PrimitiveType::package:
      return "/var/lib/dpkg/status";
    case PrimitiveType::unit:
    case PrimitiveType::command:
      break;
  }
  return "";
}

/// Of what is gone the folder tells, unless something else changed in it since.
Changed changed_of(const System& system, const PrimitiveId& id, const HostWatch* watch) {
  Changed changed{.type = std::string(to_text(id.type)), .name = id.name};
  if (watch != nullptr) changed.at_ms = watch->seen_ms(to_text(id));
  const std::string file = file_of(id);
  if (file.empty()) return changed;
  if (const auto stat = system.stat(file)) {
    if (id.type != PrimitiveType::tree) changed.at_ms = stat->changed_ns / 1'000'000;
    if (stat->uid != 0 && file == id.name) changed.owner = account_of(system, stat->uid);
  } else if (changed.at_ms == 0 && file.size() > 1) {
    const auto folder = system.stat(file.substr(0, std::max<std::size_t>(file.rfind('/'), 1)));
    if (folder) changed.at_ms = folder->changed_ns / 1'000'000;
  }
  return changed;
}

std::int64_t unit_changed_ms(const System& system, const std::string& unit) {
  const auto found = system.unit_properties({unit}, {"StateChangeTimestamp"});
  if (!found || found->empty()) return 0;
  const auto stamp = found->front().find("StateChangeTimestamp");
  return stamp == found->front().end() ? 0 : std::atoll(stamp->second.c_str()) / 1000;
}

}  // namespace

Value Requests::traces(const Value& request) {
  const std::vector<std::string> ids = request.at("ids").as_texts();
  if (ids.size() > most_ids) throw Error("too much is asked about at once");
  const bool whole_machine = system_.root().empty();  // the logs are not of a folder
  const std::vector<Deed> deeds = whole_machine ? deeds_here(system_) : std::vector<Deed>();
  List traces;
  for (const std::string& text : ids) {
    const PrimitiveId id = primitive_id(text);
    Changed changed = changed_of(system_, id, watch_.get());
    if (id.type == PrimitiveType::unit && changed.at_ms == 0) changed.at_ms = unit_changed_ms(system_, id.name);
    traces.emplace_back(Map{{"id", text}, {"at_ms", changed.at_ms}, {"by", culprit_of(changed, deeds)}});
  }
  return Map{{"traces", std::move(traces)}};
}

}  // namespace holdfast
