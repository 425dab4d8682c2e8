#include <controller/ssh/runner_client.hpp>

#include <controller/ssh/conversation.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t max_inline_bundle_bytes = 512U << 10U;
constexpr std::size_t max_lines = 200;
constexpr std::size_t max_left = 1000;
constexpr std::size_t max_actions = 40'000;
constexpr std::size_t max_backups = 200;

std::string text_of(const Value& value, std::string_view name) { return printable(value.text_or(name, "")); }

std::vector<std::string> lines_of(const Value& reply, std::string_view name, std::size_t most) {
  std::vector<std::string> lines;
  const Value* list = reply.find(name);
  if (list == nullptr) return lines;
  for (const Value& line : list->as_list()) {
    if (lines.size() == most) break;
    lines.push_back(printable(line.as_text()));
  }
  return lines;
}

TransactionReply transaction_from(const Value& reply) {
  static const std::set<std::string, std::less<>> states = {"open",         "pending",     "confirmed",       "refused",
                                                            "rolling_back", "rolled_back", "rollback_failed", "none"};
  TransactionReply result;
  result.state = reply.at("state").as_text();
  if (!states.contains(result.state))
    throw Error("expected a transaction's state, found \"" + printable(result.state) + "\"");
  if (const Value* failure = reply.find("failure")) {
    result.failed_id = text_of(*failure, "id");
    result.what = text_of(*failure, "what");
    result.output = text_of(*failure, "output");
  }
  result.left = lines_of(reply, "left", max_left);
  return result;
}

std::optional<OpenTransaction> open_from(const Value& reply) {
  const Value* open = reply.find("open");
  if (open == nullptr) return std::nullopt;
  return OpenTransaction{.transaction = printable(open->at("transaction").as_text()),
                         .state = printable(open->at("state").as_text()),
                         .bundle_digest = text_of(*open, "bundle_digest")};
}

std::vector<AskedTransaction> asked_from(const Value& reply, const std::vector<std::string>& ids) {
  std::vector<AskedTransaction> answers;
  if (ids.empty()) return answers;
  const auto& list = reply.at("asked").as_list();
  if (list.size() != ids.size()) throw Error("the host told of other transactions than it was asked for");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (list[i].at("transaction").as_text() != ids[i]) throw Error("the host told of another transaction than asked");
    AskedTransaction one{.transaction = ids[i],
                         .commit = text_of(list[i], "commit"),
                         .bundle_digest = text_of(list[i], "bundle_digest"),
                         .reply = transaction_from(list[i])};
    if (!one.bundle_digest.empty() && !is_sha256(one.bundle_digest))
      throw Error("expected a digest, found another text");
    answers.push_back(std::move(one));
  }
  return answers;
}

/// Positions come from the bundle that we made, not from the host: it may have kept an older one of the same digest.
void tell_origins(Plan& plan, const Bundle& bundle) {
  std::map<PrimitiveId, const Origin*> origins;
  for (const Wanted& wanted : bundle.wanted) origins.emplace(wanted.id, &wanted.origin);
  const auto tell = [&origins](const PrimitiveId& id, Origin& origin) {
    if (const auto found = origins.find(id); found != origins.end()) origin = *found->second;
  };
  for (Action& action : plan.actions) tell(action.id, action.origin);
  for (Refusal& refusal : plan.refusals) {
    tell(refusal.id, refusal.origin);
    refusal.what = printable(refusal.what);
    refusal.hint = printable(refusal.hint);
  }
  for (Validator& validator : plan.validators) {
    for (const Validator& ours : bundle.validators) {
      if (ours.name == validator.name && ours.argv == validator.argv) validator.origin = ours.origin;
    }
  }
  for (PlannedBackup& backup : plan.backups) backup.policy = printable(backup.policy);
  for (std::string& note : plan.notes) note = printable(note);
}

void check_plan(const Plan& plan, const std::string& bundle_digest) {
  if (plan.bundle_digest != bundle_digest) throw Error("the host answered with the plan of another bundle");
  if (!is_sha256(plan.digest)) throw Error("the host's plan has no digest");
  if (plan.actions.size() > max_actions) throw Error("the host's plan has too many actions");
  if (!std::all_of(plan.missing.begin(), plan.missing.end(), [](const std::string& one) { return is_sha256(one); })) {
    throw Error("the host asked for content by something that is no digest");
  }
}

void check_backup_record(const Value& record) {
  static_cast<void>(record.at("id").as_text());
  static_cast<void>(record.at("reason").as_text());
  static_cast<void>(record.at("commit").as_text());
  static_cast<void>(record.at("duration_ms").as_int());
  static_cast<void>(record.at("verification").at("state").as_text());
  for (const Value& part : record.at("parts").as_list()) static_cast<void>(part.at("stored_bytes").as_int());
}

std::vector<BackupReply> backups_from(const Value& reply) {
  std::vector<BackupReply> backups;
  const Value* list = reply.find("backups");
  if (list == nullptr) return backups;
  for (const Value& one : list->as_list()) {
    if (backups.size() == max_backups) break;
    backups.push_back(backup_reply_from(one));
  }
  return backups;
}

/// The members that are relied on have the type that was agreed; everything else is only shown.
Value backup_outcome(const Value& reply) {
  static_cast<void>(reply.at("ok").as_bool());
  static_cast<void>(reply.at("error").as_text());
  if (const Value* record = reply.find("record")) check_backup_record(*record);
  return printable_value(reply);
}

Value backup_listings(const Value& reply) {
  for (const Value& listing : reply.at("backups").as_list()) {
    static_cast<void>(listing.at("policy").as_text());
    static_cast<void>(listing.at("folder").as_text());
    static_cast<void>(backup_reply_from(listing.at("standing")));
    for (const Value& record : listing.at("backups").as_list()) check_backup_record(record);
    for (const Value& one : listing.at("broken").as_list()) {
      static_cast<void>(one.at("id").as_text());
      static_cast<void>(one.at("what").as_text());
    }
    for (const Value& one : listing.at("failures").as_list()) {
      static_cast<void>(one.at("at_ms").as_int());
      static_cast<void>(one.at("error").as_text());
      static_cast<void>(one.at("reason").as_text());
    }
  }
  return printable_value(reply);
}

}  // namespace

Value to_value(const BackupReply& backup) {
  return Map{{"policy", backup.policy},
             {"problem", backup.problem},
             {"detail", backup.detail},
             {"verified_id", backup.verified_id},
             {"verified_at_ms", backup.verified_at_ms},
             {"bytes", backup.bytes}};
}

bool is_at_end(const TransactionReply& reply) {
  return reply.state != "open" && reply.state != "pending" && reply.state != "rolling_back";
}

BackupReply backup_reply_from(const Value& value) {
  static const std::set<std::string, std::less<>> problems = {"", "never", "missed", "failed", "damaged"};
  BackupReply backup{.policy = text_of(value, "policy"),
                     .problem = value.at("problem").as_text(),
                     .detail = text_of(value, "detail"),
                     .verified_id = text_of(value, "verified_id"),
                     .verified_at_ms = value.int_or("verified_at_ms", 0),
                     .bytes = value.int_or("bytes", 0)};
  if (!problems.contains(backup.problem)) {
    throw Error("expected how a backup stands, found \"" + printable(backup.problem) + "\"");
  }
  return backup;
}

namespace {

Map plan_request(const RunnerClient::PlanRequest& how) {
  Map request{{"do", "plan"}, {"show", how.show}};
  if (!how.asked.empty()) request["asked"] = Value::texts(how.asked);
  if (how.epoch > 0) request["epoch"] = how.epoch;
  if (how.allow_prune) request["allow_prune"] = true;
  return request;
}

}  // namespace

struct RunnerClient::Impl {
  std::unique_ptr<Connection> connection{};
  std::unique_ptr<Conversation> conversation{};
  std::set<std::string> kept{};  // digests of bundles that this runner has
  bool lost = false;

  Conversation& talk(Deadline deadline) {
    if (lost || (conversation && conversation->over())) throw Error("the session is lost: connect again");
    if (!conversation) conversation = std::make_unique<Conversation>(start({"serve"}, deadline));
    return *conversation;
  }

  std::unique_ptr<Stream> start(const std::vector<std::string>& arguments, Deadline deadline) {
    if (!connection->alive()) {
      lost = true;
      throw Error("the connection to the host was lost");
    }
    return connection->start_runner(arguments, deadline);
  }

  Answer ask(const std::string& what, const Map& request, const OnEvent& on_event, Deadline deadline) {
    return while_doing("asking the host's runner " + what, [&] {
      Answer answer = talk(deadline).ask(request, on_event, deadline);
      if (!answer.error.empty()) throw Error(answer.error);
      return answer;
    });
  }

  /// A reply of another shape than agreed ends the session: what follows could not be trusted either.
  template <typename Read>
  auto read(const std::string& what, const Map& request, const OnEvent& on_event, Deadline deadline, Read&& reader) {
    const Answer answer = ask(what, request, on_event, deadline);
    return checked(what, [&] { return reader(answer.reply); });
  }

  template <typename Read>
  auto checked(const std::string& what, Read&& reader) {
    try {
      return reader();
    } catch (const Error& error) {
      lost = true;
      throw error.within("reading what the host's runner answered when asked " + what);
    }
  }

  Answer ask_plan(const Bundle& bundle, const std::string& digest, const RunnerClient::PlanRequest& how,
                  Deadline deadline) {
    const Hello* host = conversation && conversation->hello() ? &*conversation->hello() : nullptr;
    if (how.known || kept.contains(digest) || (host != nullptr && host->generation_bundle == digest)) {
      Map request = plan_request(how);
      request.insert_or_assign("bundle_digest", digest);
      Answer answer = ask("for a plan", request, {}, deadline);
      if (answer.reply.find("need") == nullptr) return answer;
    }
    Map request = plan_request(how);
    const Value whole = to_value(bundle);
    const std::string text = to_json(whole);
    if (text.size() > max_inline_bundle_bytes) {
      const std::string blob = sha256(text);
      talk(deadline).send_blob(blob, text, deadline);
      request.insert_or_assign("bundle_blob", blob);
    } else {
      request.insert_or_assign("bundle", whole);
    }
    return ask("for a plan", request, {}, deadline);
  }
};

RunnerClient::RunnerClient(std::unique_ptr<Connection> connection) : impl_(std::make_unique<Impl>()) {
  impl_->connection = std::move(connection);
}

RunnerClient::~RunnerClient() = default;

const Hello& RunnerClient::hello() const {
  if (!impl_->conversation || !impl_->conversation->hello()) throw Error("the host has not answered anything yet");
  return *impl_->conversation->hello();
}

bool RunnerClient::alive() const {
  return !impl_->lost && impl_->connection->alive() && !(impl_->conversation && impl_->conversation->over());
}

PlanReply RunnerClient::plan(const Bundle& bundle, const PlanRequest& request, Deadline deadline) {
  const std::string digest = request.digest.empty() ? digest_of(bundle) : request.digest;
  Answer answer = impl_->ask_plan(bundle, digest, request, deadline);
  return impl_->checked("for a plan", [&] {
    PlanReply reply{.plan = plan_from(answer.reply.at("plan")),
                    .open = open_from(answer.reply),
                    .asked = asked_from(answer.reply, request.asked),
                    .backups = backups_from(answer.reply),
                    .old_contents = std::move(answer.blobs)};
    check_plan(reply.plan, digest);
    tell_origins(reply.plan, bundle);
    impl_->kept.insert(digest);
    return reply;
  });
}

void RunnerClient::send(const std::vector<std::string>& digests, const ContentSource& contents, Deadline deadline) {
  for (const std::string& digest : digests) {
    const std::string bytes = contents(digest);
    while_doing("sending content to the host", [&] { impl_->talk(deadline).send_blob(digest, bytes, deadline); });
  }
}

TransactionReply RunnerClient::apply(const ApplyRequest& request, const OnEvent& on_event, Deadline deadline) {
  const Map message{{"do", "apply"},
                    {"transaction", request.transaction},
                    {"epoch", request.epoch},
                    {"bundle_digest", request.bundle_digest},
                    {"plan_digest", request.plan_digest},
                    {"commit", request.commit},
                    {"deadman_ms", request.deadman_ms},
                    {"allow_prune", request.allow_prune}};
  return impl_->read("to apply", message, on_event, deadline, transaction_from);
}

TransactionReply RunnerClient::attach(const std::string& transaction, const OnEvent& on_event, Deadline deadline) {
  return impl_->read("for a transaction", {{"do", "attach"}, {"transaction", transaction}}, on_event, deadline,
                     transaction_from);
}

TransactionReply RunnerClient::confirm(const std::string& transaction, std::int64_t epoch, Deadline deadline) {
  return impl_->read("to confirm", {{"do", "confirm"}, {"transaction", transaction}, {"epoch", epoch}}, {}, deadline,
                     transaction_from);
}

TransactionReply RunnerClient::rollback(const std::string& transaction, std::int64_t epoch, const std::string& reason,
                                        const OnEvent& on_event, Deadline deadline) {
  const Map message{{"do", "rollback"}, {"transaction", transaction}, {"epoch", epoch}, {"reason", reason}};
  return impl_->read("to roll back", message, on_event, deadline, transaction_from);
}

std::vector<std::string> RunnerClient::journal(const std::string& unit, int lines, Deadline deadline) {
  const int asked = std::clamp(lines, 1, static_cast<int>(max_lines));
  return impl_->read("for the journal of " + unit, {{"do", "journal"}, {"unit", unit}, {"lines", asked}}, {}, deadline,
                     [](const Value& reply) { return lines_of(reply, "lines", max_lines); });
}

std::optional<OpenTransaction> RunnerClient::open_transaction(Deadline deadline) {
  return impl_->read("for its status", {{"do", "status"}, {"brief", true}}, {}, deadline, open_from);
}

TransactionReply RunnerClient::came_of(const std::string& transaction, std::int64_t epoch, Deadline deadline) {
  const Map message{{"do", "status"}, {"brief", true}, {"asked", Value::texts({transaction})}, {"epoch", epoch}};
  return impl_->read("what came of " + transaction, message, {}, deadline,
                     [&](const Value& reply) { return asked_from(reply, {transaction}).front().reply; });
}

Value RunnerClient::status(Deadline deadline) {
  return impl_->read("for its status", {{"do", "status"}}, {}, deadline, printable_value);
}

Value RunnerClient::backups(const std::string& policy, Deadline deadline) {
  return impl_->read("for its backups", {{"do", "backups"}, {"policy", policy}}, {}, deadline, backup_listings);
}

Value RunnerClient::backup_run(const std::string& policy, const OnEvent& on_event, Deadline deadline) {
  return impl_->read("for a backup", {{"do", "backup_run"}, {"policy", policy}}, on_event, deadline, backup_outcome);
}

Value RunnerClient::backup_verify(const std::string& policy, const std::string& id, const OnEvent& on_event,
                                  Deadline deadline) {
  return impl_->read("to verify a backup", {{"do", "backup_verify"}, {"policy", policy}, {"id", id}}, on_event,
                     deadline, backup_outcome);
}

std::unique_ptr<Stream> RunnerClient::dial(const std::string& address, Deadline deadline) {
  return impl_->start({"dial", address}, deadline);
}

HostProbe::Unit RunnerClient::unit(const std::string& name, Deadline deadline) {
  const Map message{{"do", "units"}, {"names", List{name}}};
  return impl_->read("for the state of " + name, message, {}, deadline, [&name](const Value& reply) {
    const Value& found = reply.at("units").at(name);
    return Unit{.load = text_of(found, "load"),
                .active = text_of(found, "active"),
                .sub = text_of(found, "sub"),
                .invocation = text_of(found, "invocation"),
                .restarts = found.int_or("restarts", 0)};
  });
}

HostProbe::Result RunnerClient::run(const std::vector<std::string>& argv, const std::string& user,
                                    std::int64_t timeout_ms, Deadline deadline) {
  const Map message{{"do", "run"}, {"argv", Value::texts(argv)}, {"user", user}, {"timeout_ms", timeout_ms}};
  return impl_->read("to run a check", message, {}, deadline, [](const Value& reply) {
    return Result{.exit_code = static_cast<int>(reply.int_or("exit", -1)),
                  .output = text_of(reply, "output"),
                  .timed_out = reply.bool_or("timed_out", false)};
  });
}

}  // namespace holdfast
