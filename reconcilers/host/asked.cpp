// Transactions that a controller lost sight of: what came of them, by the host's own journals.
#include <reconcilers/host/requests.hpp>

#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/transaction_record.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>
#include <chrono>

namespace holdfast {

namespace {

constexpr std::size_t most_asked = 16;

Map told(const std::string& id, const TransactionRecord& transaction, const std::string& state) {
  Map answer{{"transaction", id},
             {"state", state},
             {"commit", transaction.request.commit},
             {"bundle_digest", transaction.request.bundle_digest},
             {"begun_at", transaction.begun_at},
             {"failure", transaction.failure}};
  if (!transaction.left.empty()) answer["left"] = Value::texts(transaction.left);
  return answer;
}

/// It was asked for, and nobody began it: from now on nobody can. Under the lock that its runner would need.
void close_unbegun(System& system, const State& state, const std::string& id, const TransactionRequest& request) {
  Journal journal(state.transaction_path(id, "journal"));
  const std::string at = timestamp(system.now_ns());
  journal.append(Map{{"record", "begin"}, {"request", to_value(request)}, {"at", at}});
  const Failure failure{.what = "it had not begun when the controller asked for it again"};
  journal.append(Map{{"record", "state"}, {"state", "refused"}, {"failure", to_value(failure)}, {"at", at}});
}

}  // namespace

/// With an epoch, a "none" is final: whoever still holds a request for that transaction has a lower one, and is
/// refused.
Value Requests::came_of(const std::string& id, std::int64_t epoch) const {
  TransactionRecord transaction = read_transaction(state_, id);
  if (!transaction.state.empty()) return told(id, transaction, transaction.state);
  const auto prepared = read_state_file(state_.transaction_path(id, "request.json"));
  if (!prepared) {
    // One that is open has a lower epoch, and would take it for another controller's.
    if (epoch > 0 && !state_.open_transaction()) state_.raise_epoch(epoch);
    HOLDFAST_FAILPOINT("asked.fenced");
    return told(id, transaction, "none");
  }
  const TransactionRequest request = request_from(from_json(*prepared));
  const auto lock = FileLock::take(state_.path("lock"), std::chrono::milliseconds(0));
  transaction = read_transaction(state_, id);
  if (lock && epoch > 0 && transaction.state.empty()) {
    close_unbegun(system_, state_, id, request);
    HOLDFAST_FAILPOINT("asked.closed");
    transaction = read_transaction(state_, id);
  }
  if (transaction.state.empty()) transaction.request = request;
  return told(id, transaction, transaction.state.empty() ? "open" : transaction.state);
}

Value Requests::claim(const Value& request) {
  const ControllerName controller = controller_of(request);
  if (controller.id.empty() || !request.bool_or("claim", false)) return {};
  const auto other = owner_.claim({.controller = controller,
                                       .lease_ms = request.int_or("lease_ms", 60'000),
                                       .epoch = request.int_or("epoch", 0),
                                       .adopt = request.bool_or("adopt", false)});
  if (!other) return {};
  return Map{{"name", other->name}, {"seen_ms_ago", other->seen_ms_ago}, {"lapsed", other->lapsed}};
}

/// Only for whose host it is nothing that was left is closed for good.
Value Requests::asked(const Value& request, bool ours) const {
  List answers;
  const Value* ids = request.find("asked");
  if (ids == nullptr) return answers;
  const std::vector<std::string> texts = ids->as_texts();
  if (texts.size() > most_asked) throw Error("asked for too many transactions at once");
  for (const std::string& id : texts) {
    if (!is_transaction_id(id)) throw Error("expected the id of a transaction, found another text");
    answers.push_back(came_of(id, ours ? request.int_or("epoch", 0) : 0));
  }
  return answers;
}

}  // namespace holdfast
