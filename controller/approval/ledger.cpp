#include <controller/approval/ledger.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <iterator>
#include <set>

namespace holdfast {

namespace {

constexpr std::size_t most_spent = 2'000;

}  // namespace

void ApprovalLedger::want(const std::string& id, const std::vector<std::string>& live) {
  if (wanted == id) return;
  wanted = id;
  const std::set<std::string> others(live.begin(), live.end());
  applied.clear();
  std::ranges::copy_if(others, std::back_inserter(applied),
                       [&](const std::string& one) { return !one.empty() && one != id; });
}

std::string ApprovalLedger::why_spent(const std::string& object) const {
  const auto found = std::ranges::find(spent, object, &std::pair<std::string, std::string>::first);
  return found == spent.end() ? "" : found->second;
}

void ApprovalLedger::spend(const std::string& object, const std::string& why) {
  std::erase(used, object);
  if (!why_spent(object).empty()) return;
  if (spent.size() == most_spent) spent.erase(spent.begin());
  spent.emplace_back(object, why);
}

void ApprovalLedger::spend_used(const std::string& why) {
  for (const std::string& object : std::vector<std::string>(used)) spend(object, why);
  commit.clear();
  used_ms = 0;
}

std::string approvals_note(const std::string& environment) { return "approvals " + environment; }

std::string to_text(const ApprovalLedger& ledger) {
  Map seen;
  for (const auto& [name, one] : ledger.seen) seen[name] = Value::texts({one.object, one.commit});
  Map tried;
  for (const auto& [host, at_ms] : ledger.tried_ms) tried[host] = at_ms;
  List spent;
  for (const auto& [object, why] : ledger.spent) spent.emplace_back(Value::texts({object, why}));
  return to_json(Map{{"commit", ledger.commit},
                     {"used_ms", ledger.used_ms},
                     {"used", Value::texts(ledger.used)},
                     {"seen", std::move(seen)},
                     {"spent", std::move(spent)},
                     {"wanted", ledger.wanted},
                     {"applied", Value::texts(ledger.applied)},
                     {"tried_ms", std::move(tried)}});
}

ApprovalLedger ledger_from(const std::string& text) {
  if (text.empty()) return {};
  try {
    const Value value = from_json(text);
    ApprovalLedger ledger{.commit = value.at("commit").as_text(),
                  .used_ms = value.at("used_ms").as_int(),
                  .used = value.at("used").as_texts()};
    for (const auto& [name, one] : value.at("seen").as_map()) {
      const std::vector<std::string> texts = one.as_texts();
      if (texts.size() == 2) ledger.seen[name] = {.object = texts[0], .commit = texts[1]};
    }
    for (const Value& one : value.at("spent").as_list()) {
      const std::vector<std::string> texts = one.as_texts();
      if (texts.size() == 2) ledger.spent.emplace_back(texts[0], texts[1]);
    }
    ledger.wanted = value.text_or("wanted", "");
    if (!ledger.wanted.empty()) ledger.applied = value.at("applied").as_texts();
    for (const auto& [host, at_ms] : value.at("tried_ms").as_map()) ledger.tried_ms[host] = at_ms.as_int();
    return ledger;
  } catch (const Error&) {
    return {};
  }
}

}  // namespace holdfast
