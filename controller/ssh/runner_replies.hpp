#pragma once

#include <controller/ssh/runner_client.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// What the runner client asks with, and how it reads what hosts answer (docs/protocol.md): hostile until checked, so
// everything here throws Error on another shape than agreed, and texts are made printable.

std::string text_of(const Value& value, std::string_view name);
std::vector<std::string> lines_of(const Value& reply, std::string_view name, std::size_t most);
TransactionReply transaction_from(const Value& reply);
std::optional<OpenTransaction> open_from(const Value& reply);
std::vector<AskedTransaction> asked_from(const Value& reply, const std::vector<std::string>& ids);
void tell_origins(Plan& plan, const Bundle& bundle);
void check_plan(const Plan& plan, const std::string& bundle_digest);
void check_backup_record(const Value& record);
std::vector<BackupReply> backups_from(const Value& reply);
Value backup_outcome(const Value& reply);
Value backup_listings(const Value& reply);
std::optional<OtherOwner> owner_from(const Value& reply);
void add_claim(Map& request, const RunnerClient::Claim& claim);
Map plan_request(const RunnerClient::PlanRequest& how);

}  // namespace holdfast
