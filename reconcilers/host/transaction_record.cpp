#include <reconcilers/host/transaction_record.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/host/state_files.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace holdfast {

namespace {

constexpr std::int64_t min_deadman_ms = 1'000;
constexpr std::int64_t max_deadman_ms = 7'200'000;
constexpr std::size_t longest_commit = 64;

void add_action(TransactionRecord& transaction, Touched touched) {
  const auto known =
      std::ranges::find_if(transaction.touched, [&](const Touched& one) { return one.action.id == touched.action.id; });
  if (known == transaction.touched.end()) {
    transaction.touched.push_back(std::move(touched));
  } else if (known->begun) {
    known->action.to = touched.action.to;  // its `from` is where the host stood before the transaction
    known->wanted = std::move(touched.wanted);
  } else {
    *known = std::move(touched);
  }
}

void add_plan(TransactionRecord& transaction, const Value& record) {
  std::erase_if(transaction.touched, [](const Touched& one) { return !one.begun; });
  for (const Value& one : record.at("actions").as_list()) {
    add_action(transaction, {.action = action_from(one.at("action")), .wanted = wanted_from(one.at("wanted"))});
  }
}

void mark(TransactionRecord& transaction, const Value& record, bool Touched::*flag) {
  const PrimitiveId id = primitive_id(record.at("id").as_text());
  for (Touched& one : transaction.touched) {
    if (one.action.id == id) one.*flag = true;
  }
}

/// The first of several packages in a row carries the one apt transaction for all: once it has begun, so have they.
void begin_packages_with(TransactionRecord& transaction, const Value& record) {
  const PrimitiveId id = primitive_id(record.at("id").as_text());
  if (id.type != PrimitiveType::package) return;
  bool begun = false;
  for (Touched& one : transaction.touched) {
    begun = one.action.id.type == PrimitiveType::package && (begun || one.action.id == id);
    one.begun = one.begun || begun;
  }
}

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

/// What was saved first is how it was before the transaction.
void add_extended(TransactionRecord& transaction, const Value& record) {
  ExtendedAttributes attributes;
  for (const auto& [name, value] : record.at("values").as_map()) attributes[name] = from_hex(value.as_text());
  transaction.extended.emplace(primitive_id(record.at("id").as_text()), std::move(attributes));
}

void add_state(TransactionRecord& transaction, const Value& record) {
  transaction.state = record.at("state").as_text();
  if (const Value* failure = record.find("failure")) transaction.failure = *failure;
  if (const Value* left = record.find("left")) transaction.left = left->as_texts();
  transaction.deadline_ms = record.int_or("deadline_ms", transaction.deadline_ms);
  transaction.boot_id = record.text_or("boot_id", transaction.boot_id);
}

}  // namespace

Value to_value(const TransactionRequest& request) {
  Map value{{"transaction", request.transaction}, {"epoch", request.epoch},   {"bundle_digest", request.bundle_digest},
            {"plan_digest", request.plan_digest}, {"commit", request.commit}, {"deadman_ms", request.deadman_ms},
            {"allow_prune", request.allow_prune}};
  if (request.leave.empty()) return value;
  List leave;
  for (const PrimitiveId& id : request.leave) leave.emplace_back(to_text(id));
  value["leave"] = std::move(leave);
  return value;
}

std::set<PrimitiveId> leave_of(const Value& request) {
  constexpr std::size_t most = 1000;
  std::set<PrimitiveId> leave;
  const Value* found = request.find("leave");
  if (found == nullptr) return leave;
  for (const std::string& id : found->as_texts()) leave.insert(primitive_id(id));
  if (leave.size() > most) throw Error("too much is to be left as it is");
  return leave;
}

TransactionRequest request_from(const Value& value) {
  TransactionRequest request{.transaction = value.at("transaction").as_text(),
                             .epoch = value.at("epoch").as_int(),
                             .bundle_digest = value.at("bundle_digest").as_text(),
                             .plan_digest = value.at("plan_digest").as_text(),
                             .commit = value.text_or("commit", ""),
                             .deadman_ms = value.int_or("deadman_ms", 120'000),
                             .allow_prune = value.bool_or("allow_prune", false)};
  if (!is_transaction_id(request.transaction)) throw Error("expected the id of a transaction, found another text");
  if (!is_sha256(request.bundle_digest) || !is_sha256(request.plan_digest))
    throw Error("expected a digest, found another text");
  if (request.epoch < 0) throw Error("expected an epoch from 0 on, found " + std::to_string(request.epoch));
  if (request.commit.size() > longest_commit) throw Error("the name of the commit is too long");
  request.leave = leave_of(value);
  request.deadman_ms = std::clamp(request.deadman_ms, min_deadman_ms, max_deadman_ms);
  return request;
}

Value to_value(const Failure& failure) {
  Map value{
      {"id", failure.id.name.empty() ? "" : to_text(failure.id)}, {"what", failure.what}, {"output", failure.output}};
  if (failure.changed) value["changed"] = true;
  if (failure.cut_off) value["cut_off"] = true;
  return value;
}

Failure failure_from(const Value& value) {
  Failure failure{.what = value.text_or("what", ""),
                  .output = value.text_or("output", ""),
                  .changed = value.bool_or("changed", false),
                  .cut_off = value.bool_or("cut_off", false)};
  if (const std::string id = value.text_or("id", ""); !id.empty()) failure.id = primitive_id(id);
  return failure;
}

Failure failure_of(const PrimitiveId& id, const std::string& message) {
  const std::size_t end = std::min(message.find('\n'), message.size());
  return {.id = id, .what = message.substr(0, end), .output = message.substr(std::min(end + 1, message.size()))};
}

void add_record(TransactionRecord& transaction, const Value& record) {
  const std::string kind = record.text_or("record", "");
  if (kind == "begin") {
    transaction.request = request_from(record.at("request"));
    transaction.begun_at = record.text_or("at", "");
    transaction.boot_id = record.text_or("boot_id", "");
    transaction.state = "open";
  } else if (kind == "plan") {
    add_plan(transaction, record);
  } else if (kind == "intent") {
    mark(transaction, record, &Touched::begun);
    begin_packages_with(transaction, record);
  } else if (kind == "done") {
    mark(transaction, record, &Touched::done);
  } else if (kind == "state") {
    add_state(transaction, record);
  } else if (kind == "extended") {
    add_extended(transaction, record);
  } else if (kind == "reserved") {
    transaction.reserved = record.at("paths").as_texts();
  } else if (kind == "settled") {
    transaction.settled = true;
  }
}

TransactionRecord read_transaction(const State& state, const std::string& id) {
  TransactionRecord transaction;
  JournalReader reader(state.transaction_path(id, "journal"));
  while (const std::optional<Value> record = reader.next()) add_record(transaction, *record);
  return transaction;
}

bool is_overdue(const TransactionRecord& transaction) {
  return transaction.boot_id != current_boot_id() || boot_clock_ms() >= transaction.deadline_ms;
}

bool waits_for_confirmation(const State& state) {
  const std::optional<std::string> id = state.open_transaction();
  if (!id) return false;
  const TransactionRecord transaction = read_transaction(state, *id);
  return transaction.state == "pending" && !is_overdue(transaction);
}

bool is_at_end(const std::string& state) {
  return state == "confirmed" || state == "rolled_back" || state == "rollback_failed" || state == "refused";
}

bool is_answer(const std::string& state) { return is_at_end(state) || state == "pending"; }

Value plan_record(const PreparedPlan& prepared) {
  List actions;
  for (std::size_t i = 0; i < prepared.plan.actions.size(); ++i) {
    actions.emplace_back(Map{{"action", to_value(prepared.plan.actions[i])}, {"wanted", to_value(prepared.wanted[i])}});
  }
  return Map{{"record", "plan"}, {"actions", std::move(actions)}};
}

Value extended_record(const PrimitiveId& id, const ExtendedAttributes& attributes) {
  Map values;
  for (const auto& [name, value] : attributes) values[name] = to_hex(value);
  return Map{{"record", "extended"}, {"id", to_text(id)}, {"values", std::move(values)}};
}

std::int64_t boot_clock_ms() {
  struct timespec now {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

std::string current_boot_id() {
  // A file of /proc has no size to be read by.
  const Fd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  std::array<char, 64> bytes{};
  const ssize_t count = fd ? ::read(fd.get(), bytes.data(), bytes.size()) : 0;
  std::string id(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  while (id.ends_with('\n')) id.pop_back();
  return id;
}

std::string timestamp(std::int64_t ns) {
  const std::time_t seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  struct tm parts {};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

}  // namespace holdfast
