#include <reconcilers/host/requests.hpp>

#include <reconcilers/host/confirm.hpp>
#include <reconcilers/host/detach.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/transaction_record.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/failpoint.hpp>

namespace holdfast {

namespace {

constexpr int follow_ms = 20;
constexpr int follow_closely_ms = 3;  // at first: most changes are small
constexpr std::int64_t closely_for_ms = 2'000;
constexpr std::int64_t look_for_runner_ms = 100;
constexpr int looks_until_dead = 5;
constexpr int looks_until_again = 50;  // where whoever took over could not finish it either: its disk was full
constexpr int looks_until_not_started = 100;
constexpr std::size_t longest_reason = 500;

std::string id_of(const Value& request) {
  const std::string& id = request.at("transaction").as_text();
  if (!is_transaction_id(id)) throw Error("expected the id of a transaction, found another text");
  return id;
}

Map outcome(const TransactionRecord& transaction) {
  Map reply{{"state", transaction.state}, {"failure", transaction.failure}};
  if (!transaction.left.empty()) reply["left"] = Value::texts(transaction.left);
  return reply;
}

Map refused(const std::string& what) { return {{"state", "refused"}, {"failure", to_value(Failure{.what = what})}}; }

bool runner_lives(const State& state) { return !FileLock::take(state.path("lock"), std::chrono::milliseconds(0)); }

}  // namespace

JournalReader Requests::events_of(const std::string& id) const {
  return JournalReader(state_.transaction_path(id, "events"));
}

Value Requests::apply(const Value& message) {
  const TransactionRequest request = request_from(message);
  const std::string& id = request.transaction;
  if (read_state_file(state_.transaction_path(id, "request.json"))) return follow(id, events_of(id), false);
  if (request.epoch < state_.epoch()) {
    return refused("the epoch " + std::to_string(request.epoch) + " is over: a controller with the epoch " +
                   std::to_string(state_.epoch()) + " has taken over this host");
  }
  try {
    owner_.require(controller_of(message));
  } catch (const Error& error) {
    return refused(error.what());
  }
  try {
    settle_confirmed(system_, state_);
    make_private_folder(state_.transaction_path(id));
    write_state_file(state_.transaction_path(id, "request.json"), to_json(to_value(request)));
  } catch (const Error& error) {  // a full disk: whether it was begun must not be a question
    if (read_state_file(state_.transaction_path(id, "request.json"))) throw;
    return refused(error.what());
  }
  HOLDFAST_FAILPOINT("apply.prepared");
  start_detached(system_, "holdfast-" + id, {"execute", id}, {"recover", id});
  HOLDFAST_FAILPOINT("apply.started");
  return follow(id, events_of(id), false);
}

Value Requests::attach(const Value& request) {
  const std::string id = id_of(request);
  if (!read_state_file(state_.transaction_path(id, "request.json")))
    throw Error("there is no transaction \"" + id + "\" on this host");
  return follow(id, events_of(id), false);
}

Value Requests::confirm(const Value& request) {
  // What is decided is told to everyone.
  if (!is_at_end(read_transaction(state_, id_of(request)).state)) owner_.require(controller_of(request));
  return Map{{"state", confirm_transaction(system_, state_, id_of(request), request.at("epoch").as_int())}};
}

Value Requests::rollback(const Value& request) {
  const std::string id = id_of(request);
  const std::int64_t epoch = request.at("epoch").as_int();
  const TransactionRecord transaction = read_transaction(state_, id);
  if (transaction.state.empty()) throw Error("there is no transaction \"" + id + "\" on this host");
  if (is_at_end(transaction.state)) return outcome(transaction);
  if (epoch < state_.epoch())
    throw Error("the epoch " + std::to_string(epoch) + " is over: another controller has taken over this host");
  owner_.require(controller_of(request));
  state_.raise_epoch(epoch);
  write_state_file(state_.transaction_path(id, "abort"),
                   printable(request.text_or("reason", "")).substr(0, longest_reason));
  JournalReader events = events_of(id);
  while (events.next()) {  // those before the rollback were told
  }
  start_detached(system_, "holdfast-" + id + "-undo-" + std::to_string(boot_clock_ms()), {"recover", "--now", id});
  return follow(id, std::move(events), true);
}

/// Tells the events of a transaction from where `events` stands, until it is decided. It does not depend on being
/// followed.
Value Requests::follow(const std::string& id, JournalReader events, bool to_the_end) {
  JournalReader records(state_.transaction_path(id, "journal"));
  TransactionRecord transaction;
  const std::int64_t closely_until_ms = boot_clock_ms() + closely_for_ms;
  std::int64_t look_at_ms = boot_clock_ms() + look_for_runner_ms;
  int looks = 0;
  for (;;) {
    while (const std::optional<Value> record = records.next()) add_record(transaction, *record);
    while (const std::optional<Value> event = events.next()) channel_.send(Map{{"event", *event}});
    if (to_the_end ? is_at_end(transaction.state) : is_answer(transaction.state)) return outcome(transaction);
    if (!channel_.pause(boot_clock_ms() < closely_until_ms ? follow_closely_ms : follow_ms))
      throw Error("the controller is gone; the transaction goes on");
    if (boot_clock_ms() < look_at_ms) continue;
    look_at_ms = boot_clock_ms() + look_for_runner_ms;
    looks = runner_lives(state_) ? 0 : looks + 1;
    if (transaction.state.empty() && looks == looks_until_not_started) {
      write_state_file(state_.transaction_path(id, "abort"), "it did not start in time");
      return refused("the transaction was not started on the host: see its journal for holdfast-" + id);
    }
    const bool dead = looks >= looks_until_dead && (looks - looks_until_dead) % looks_until_again == 0;
    if (dead && !transaction.state.empty()) revive(id, transaction.state);
  }
}

/// The runner died between two lines of its journal: somebody else finishes its work, now and not at the deadline.
void Requests::revive(const std::string& id, const std::string& state) {
  const bool asked = state == "pending";
  start_detached(system_, "holdfast-" + id + "-recover-" + std::to_string(boot_clock_ms()),
                 asked ? std::vector<std::string>{"recover", "--now", id} : std::vector<std::string>{"recover", id});
}

}  // namespace holdfast
