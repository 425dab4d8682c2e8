#include <reconcilers/host/requests.hpp>

#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/systemctl.hpp>
#include <reconcilers/host/transaction_record.hpp>

#include <manifests/error.hpp>
#include <version.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace holdfast {

namespace {

constexpr std::size_t max_names = 2000;
constexpr std::size_t max_arguments = 256;
constexpr std::size_t max_argument_bytes = 64U << 10U;
constexpr std::size_t max_output_bytes = 64U << 10U;
constexpr std::int64_t max_run_ms = 600'000;
constexpr std::int64_t max_lines = 200;
constexpr std::size_t told_transactions = 20;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

Value Requests::open() const {
  const std::optional<std::string> id = state_.open_transaction();
  if (!id) return {};
  const TransactionRecord transaction = read_transaction(state_, *id);
  if (is_at_end(transaction.state)) return {};
  return Map{{"transaction", *id},
             {"state", transaction.state},
             {"commit", transaction.request.commit},
             {"bundle_digest", transaction.request.bundle_digest}};
}

Value Requests::hello() const {
  return Map{{"protocol", 1},
             {"version", version},
             {"commit", build_commit},
             {"hostname", host_name()},
             {"machine_id", trimmed(system_.read("/etc/machine-id", 256).value_or(""))},
             {"boot_id", current_boot_id()},
             {"epoch", state_.epoch()},
             {"generation", state_.generation()},
             {"features", Value::texts({"watch", "traces"})},
             {"open", open()}};
}

Value Requests::watch(const Value& /*request*/) {
  if (!watch_) watch_ = std::make_unique<HostWatch>(system_, state_);
  return Map{{"watching", watch_->reach()}};
}

Value Requests::units(const Value& request) {
  const std::vector<std::string> names = request.at("names").as_texts();
  if (names.size() > max_names) throw Error("too many units at once");
  Map units;
  if (!system_.abilities().units) {  // the plan says so and leaves them out: no reason to call a change unhealthy
    for (const std::string& name : names) units[name] = Map{{"load", "unmanageable"}};
    return Map{{"units", std::move(units)}};
  }
  const std::vector<UnitStatus> found = show_units(system_, names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const UnitStatus& unit = found[i];
    units[names[i]] = Map{{"load", unit.load},
                          {"active", unit.active},
                          {"sub", unit.sub},
                          {"restarts", unit.restarts},
                          {"invocation", unit.invocation}};
  }
  return Map{{"units", std::move(units)}};
}

Value Requests::run(const Value& request) {
  Command command{.argv = request.at("argv").as_texts(), .user = request.text_or("user", "")};
  std::size_t bytes = 0;
  for (const std::string& argument : command.argv) bytes += argument.size();
  if (command.argv.empty() || command.argv.size() > max_arguments || bytes > max_argument_bytes) {
    throw Error("expected a program and its arguments, found none or too many");
  }
  command.deadline =
      std::chrono::milliseconds(std::clamp<std::int64_t>(request.int_or("timeout_ms", 10'000), 1, max_run_ms));
  command.output_bytes = max_output_bytes;
  const Output output = system_.run(command);
  return Map{{"exit", output.exit_code}, {"output", output.out + output.err}, {"timed_out", output.timed_out}};
}

Value Requests::journal(const Value& request) {
  const std::string& unit = request.at("unit").as_text();
  if (!is_unit_argument(unit)) throw Error("expected the name of a unit, found another text");
  const std::int64_t lines = std::clamp<std::int64_t>(request.int_or("lines", 20), 1, max_lines);
  if (!system_.abilities().units) return Map{{"lines", List()}};
  const Output output = system_.run(
      {.argv = {"journalctl", "--no-pager", "-q", "-o", "short-iso", "-u", unit, "-n", std::to_string(lines)},
       .deadline = std::chrono::seconds(30)});
  List told;
  for (std::size_t begin = 0; begin < output.out.size();) {
    const std::size_t end = std::min(output.out.find('\n', begin), output.out.size());
    told.emplace_back(output.out.substr(begin, end - begin));
    begin = end + 1;
  }
  return Map{{"lines", std::move(told)}};
}

Value Requests::status(const Value& request) {
  Value owner = claim(request);
  Value answers = asked(request, owner.is_null());
  if (request.bool_or("brief", false)) {
    return Map{{"generation", state_.generation()},
               {"open", open()},
               {"asked", std::move(answers)},
               {"owner", std::move(owner)},
               {"epoch", state_.epoch()}};
  }
  List transactions;
  for (const std::string& id : state_.transactions()) {
    if (transactions.size() == told_transactions) break;
    const TransactionRecord transaction = read_transaction(state_, id);
    if (transaction.state.empty()) continue;
    transactions.emplace_back(Map{{"transaction", id},
                                  {"state", transaction.state},
                                  {"commit", transaction.request.commit},
                                  {"bundle_digest", transaction.request.bundle_digest},
                                  {"epoch", transaction.request.epoch},
                                  {"failure", transaction.failure},
                                  {"begun_at", transaction.begun_at}});
  }
  return Map{{"generation", state_.generation()},
             {"open", open()},
             {"transactions", std::move(transactions)},
             {"inventory", state_.inventory().size()}};
}

}  // namespace holdfast
