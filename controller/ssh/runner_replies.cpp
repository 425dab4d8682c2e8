#include <controller/ssh/runner_replies.hpp>

#include <controller/ssh/conversation.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t max_left = 1000;
constexpr std::size_t max_actions = 40'000;
constexpr std::size_t max_backups = 200;

}  // namespace

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
    result.changed = failure->bool_or("changed", false);
    result.cut_off = failure->bool_or("cut_off", false);
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

void add_claim(Map& request, const RunnerClient::Claim& claim) {
  if (claim.lease_ms <= 0) return;
  request["claim"] = true;
  request["lease_ms"] = claim.lease_ms;
  if (claim.adopt) request["adopt"] = true;
}

Map plan_request(const RunnerClient::PlanRequest& how) {
  Map request{{"do", "plan"}, {"show", how.show}};
  if (!how.asked.empty()) request["asked"] = Value::texts(how.asked);
  if (how.epoch > 0) request["epoch"] = how.epoch;
  if (how.allow_prune) request["allow_prune"] = true;
  add_claim(request, how.claim);
  if (!how.leave.empty()) request["leave"] = Value::texts(how.leave);
  return request;
}

std::optional<OtherOwner> owner_from(const Value& reply) {
  const Value* owner = reply.find("owner");
  if (owner == nullptr) return std::nullopt;
  return OtherOwner{.name = text_of(*owner, "name"),
                    .seen_ms_ago = owner->int_or("seen_ms_ago", 0),
                    .lapsed = owner->bool_or("lapsed", false)};
}

}  // namespace holdfast
