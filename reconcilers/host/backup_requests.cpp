// What the protocol knows of backups. They are taken by a process of their own; looking at them is done here.
#include <reconcilers/host/requests.hpp>

#include <reconcilers/backup/backup_state.hpp>
#include <reconcilers/backup/command.hpp>
#include <reconcilers/host/backup_command.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

namespace holdfast {

namespace {

constexpr std::size_t told_backups = 200;
constexpr std::size_t most_bytes = max_frame_bytes - 65536;
constexpr std::size_t longest_id = 40;

}  // namespace

Value Requests::standings() const {
  List list;
  for (const BackupStanding& one : backup_standings(system_)) list.push_back(to_value(one));
  return list;
}

Value Requests::backups(const Value& request) {
  const std::string name = request.text_or("policy", "");
  const Policies policies = read_policies(system_);
  if (!name.empty()) static_cast<void>(read_policy(system_, name));
  for (std::size_t most = told_backups;; most /= 2) {
    List listings;
    for (const BackupPolicy& policy : policies.good) {
      if (name.empty() || policy.name == name) listings.push_back(backup_listing(system_, policy, most));
    }
    for (const BackupStanding& bad : policies.bad) {
      listings.emplace_back(Map{{"policy", bad.policy},
                                {"folder", ""},
                                {"standing", to_value(bad)},
                                {"backups", List()},
                                {"broken", List()},
                                {"failures", List()}});
    }
    Value reply = Map{{"backups", std::move(listings)}};
    if (most == 0 || to_json(reply).size() <= most_bytes) return reply;
  }
}

Value Requests::backup_run(const Value& request) {
  owner_.require(controller_of(request));
  const BackupPolicy policy = read_policy(system_, request.at("policy").as_text());
  return run_backup_command(system_, {"run", policy.name}, std::chrono::milliseconds(policy.timeout_ms),
                            [this](const Value& event) {
                              channel_.send(Map{{"event", event}});
                            });
}

Value Requests::backup_verify(const Value& request) {
  const BackupPolicy policy = read_policy(system_, request.at("policy").as_text());
  std::vector<std::string> arguments = {"verify", policy.name};
  const std::string id = request.text_or("id", "");
  if (!id.empty() && !is_backup_id(id)) {
    throw Error("\"" + printable(id).substr(0, longest_id) +
                "\" is no id of a backup: expected one such as 20261121T023000Z");
  }
  if (!id.empty()) arguments.push_back(id);
  return run_backup_command(system_, arguments, std::chrono::milliseconds(policy.timeout_ms),
                            [this](const Value& event) {
                              channel_.send(Map{{"event", event}});
                            });
}

}  // namespace holdfast
