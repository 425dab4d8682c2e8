#include <controller/cli/backup_commands.hpp>

#include <controller/cli/table.hpp>
#include <controller/plan/times.hpp>
#include <controller/rollout/parallel.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>
#include <ostream>

namespace holdfast {

namespace {

constexpr std::int64_t ask_ms = 60'000;
constexpr std::int64_t work_ms = 7LL * 3'600'000;  // a policy's own timeout is shorter
constexpr std::size_t short_id = 12;

Deadline in(std::int64_t ms) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms); }

/// What one host answered.
struct HostAnswer {
  std::string host{};
  std::string error{};
  List results{};
};

/// Lines of several hosts at once, told as they come.
class Teller {
 public:
  Teller(std::ostream& out, bool quiet) : out_(out), quiet_(quiet) {}
  void tell(const std::string& host, const std::string& text) {
    if (quiet_) return;
    const std::scoped_lock lock(mutex_);
    out_ << host << "  " << printable(text) << std::endl;
  }

 private:
  std::ostream& out_;
  bool quiet_;
  std::mutex mutex_{};
};

std::vector<const Host*> chosen(const Environment& environment, const std::vector<std::string>& names) {
  std::vector<const Host*> hosts;
  for (const std::string& name : names) {
    if (std::ranges::find(environment.hosts, name, &Host::name) == environment.hosts.end()) {
      throw Error("environment " + environment.name + " has no host \"" + printable(name) + "\"");
    }
  }
  for (const Host& host : environment.hosts) {
    if (names.empty() || std::ranges::find(names, host.name) != names.end()) hosts.push_back(&host);
  }
  return hosts;
}

/// Asks every host, several at once; what fails on one is its answer.
template <typename Ask>
std::vector<HostAnswer> ask_hosts(Context& context, const BackupOptions& options, const Ask& ask) {
  const Environment environment = find_environment(fetch_policy(context), options.environment);
  std::mutex adding;
  std::vector<HostAnswer> answers;
  in_parallel(chosen(environment, options.hosts), context.settings.workers, [&](const Host* host) {
    HostAnswer answer{.host = host->name};
    try {
      auto lease = context.sessions->checkout(*host, in(ask_ms));
      ask(*lease, answer);
    } catch (const Error& error) {
      answer.error = error.what();
    }
    const std::scoped_lock lock(adding);
    answers.push_back(std::move(answer));
  });
  std::ranges::sort(answers, {}, &HostAnswer::host);
  return answers;
}

void print_json(const std::vector<HostAnswer>& answers, const BackupOptions& options, std::ostream& out) {
  List hosts;
  for (const HostAnswer& answer : answers) {
    hosts.emplace_back(Map{{"host", answer.host}, {"error", answer.error}, {"backups", answer.results}});
  }
  out << to_pretty_json(Map{{"version", 1}, {"environment", options.environment}, {"hosts", std::move(hosts)}}) << "\n";
}

std::string size_of(std::int64_t bytes) {
  static constexpr std::array<const char*, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text.data();
}

std::int64_t bytes_of(const Value& record) {
  std::int64_t bytes = 0;
  for (const Value& part : record.at("parts").as_list()) bytes += part.at("stored_bytes").as_int();
  return bytes;
}

Cell state_cell(const std::string& state) {
  return {state, state == "verified" ? Style::good : state == "damaged" ? Style::bad : Style::warning};
}

void add_rows(const std::string& host, const Value& listing, Table& table) {
  const std::string& policy = listing.at("policy").as_text();
  for (const Value& one : listing.at("backups").as_list()) {
    table.rows.push_back({{host},
                          {policy},
                          {one.at("id").as_text()},
                          {size_of(bytes_of(one))},
                          {duration_text(one.at("duration_ms").as_int())},
                          state_cell(one.at("verification").at("state").as_text()),
                          {one.at("commit").as_text().substr(0, short_id)},
                          {one.at("reason").as_text()}});
  }
  for (const Value& one : listing.at("broken").as_list()) {
    table.rows.push_back({{host},
                          {policy},
                          {one.at("id").as_text()},
                          {"-"},
                          {"-"},
                          state_cell("damaged"),
                          {"-"},
                          {one.at("what").as_text()}});
  }
  for (const Value& one : listing.at("failures").as_list()) {
    table.rows.push_back({{host},
                          {policy},
                          {utc_text(one.at("at_ms").as_int())},
                          {"-"},
                          {"-"},
                          {"failed", Style::bad},
                          {"-"},
                          {one.at("reason").as_text() + ": " + one.at("error").as_text()}});
  }
}

bool is_trouble(const std::string& problem) { return !problem.empty() && problem != "never"; }

/// The policies to work on, of those that the host has.
std::vector<std::string> policies_of(RunnerClient& client, const std::string& wanted) {
  std::vector<std::string> names;
  const Value found = client.backups(wanted, in(ask_ms));
  for (const Value& listing : found.at("backups").as_list()) names.push_back(listing.at("policy").as_text());
  if (names.empty()) throw Error("the host has no backup policy");
  return names;
}

std::string told(const Value& result) {
  if (!result.at("ok").as_bool()) return "failed: " + result.at("error").as_text();
  const Value* record = result.find("record");
  if (record == nullptr) return result.text_or("note", "");
  return record->at("id").as_text() + "  " + size_of(bytes_of(*record)) +
         "  verified: " + record->at("verification").text_or("how", "");
}

using Work = std::function<Value(RunnerClient&, const std::string& policy, const OnEvent&)>;

int work_on_hosts(Context& context, const BackupOptions& options, std::ostream& out, const Work& work) {
  Teller teller(out, options.json);
  const auto answers = ask_hosts(context, options, [&](RunnerClient& client, HostAnswer& answer) {
    for (const std::string& policy : policies_of(client, options.policy)) {
      Value result = work(client, policy, [&](const Value& event) {
        teller.tell(answer.host, policy + ": " + event.text_or("text", ""));
      });
      teller.tell(answer.host, policy + ": " + told(result));
      result["policy"] = policy;
      answer.results.push_back(std::move(result));
    }
  });
  if (options.json) print_json(answers, options, out);
  int code = 0;
  for (const HostAnswer& answer : answers) {
    if (!answer.error.empty()) {
      code = 1;
      teller.tell(answer.host, answer.error);
    }
    for (const Value& result : answer.results) code = result.at("ok").as_bool() ? code : 1;
  }
  return code;
}

}  // namespace

int backup_list_command(Context& context, const BackupOptions& options, std::ostream& out) {
  const auto answers = ask_hosts(context, options, [&](RunnerClient& client, HostAnswer& answer) {
    answer.results = client.backups(options.policy, in(ask_ms)).at("backups").as_list();
  });
  int code = 0;
  Table table{.headers = {"HOST", "POLICY", "BACKUP", "SIZE", "TOOK", "STATE", "REVISION", "WHY"}};
  std::string remarks;
  for (const HostAnswer& answer : answers) {
    if (!answer.error.empty()) {
      remarks += answer.host + "  " + printable(answer.error) + "\n";
      code = 1;
    }
    for (const Value& listing : answer.results) {
      add_rows(answer.host, listing, table);
      const BackupReply standing = backup_reply_from(listing.at("standing"));
      if (is_trouble(standing.problem)) code = 1;
      if (standing.problem.empty()) continue;
      remarks += answer.host + "  backup " + standing.policy + " " +
                 (standing.problem == "never" ? std::string() : standing.problem + ": ") + standing.detail + "\n";
    }
  }
  if (options.json) {
    print_json(answers, options, out);
    return code;
  }
  if (table.rows.empty() && remarks.empty()) remarks = "no host has a backup policy\n";
  out << render_table(table, options.terminal) << remarks;
  return code;
}

int backup_run_command(Context& context, const BackupOptions& options, std::ostream& out) {
  return work_on_hosts(context, options, out,
                       [&](RunnerClient& client, const std::string& policy, const OnEvent& on_event) {
                         return client.backup_run(policy, on_event, in(work_ms));
                       });
}

int backup_verify_command(Context& context, const BackupOptions& options, std::ostream& out) {
  return work_on_hosts(context, options, out,
                       [&](RunnerClient& client, const std::string& policy, const OnEvent& on_event) {
                         return client.backup_verify(policy, options.id, on_event, in(work_ms));
                       });
}

}  // namespace holdfast
