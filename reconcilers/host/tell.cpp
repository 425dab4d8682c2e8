#include <reconcilers/host/tell.hpp>

#include <reconcilers/host/transaction_record.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <iostream>

namespace holdfast {

namespace {

constexpr std::size_t short_commit = 12;

std::string why_of(const TransactionRecord& transaction) {
  if (!transaction.failure.is_map()) return {};
  const std::string id = transaction.failure.text_or("id", "");
  return printable((id.empty() ? "" : id + ": ") + transaction.failure.text_or("what", ""));
}

Value summary(const std::string& id, const TransactionRecord& transaction) {
  return Map{{"transaction", id},
             {"state", transaction.state},
             {"commit", transaction.request.commit},
             {"begun_at", transaction.begun_at},
             {"why", why_of(transaction)},
             {"left", Value::texts(transaction.left)}};
}

void print_summary(const Value& one, std::ostream& output) {
  output << one.at("transaction").as_text() << "  " << one.at("begun_at").as_text() << "  " << one.at("state").as_text()
         << "  " << printable(one.at("commit").as_text()).substr(0, short_commit);
  if (const std::string& why = one.at("why").as_text(); !why.empty()) output << "  " << why;
  output << "\n";
  for (const Value& left : one.at("left").as_list()) output << "    left: " << printable(left.as_text()) << "\n";
}

List summaries(const State& state) {
  List list;
  for (const std::string& id : state.transactions()) {
    const TransactionRecord transaction = read_transaction(state, id);
    if (!transaction.state.empty()) list.push_back(summary(id, transaction));
  }
  return list;
}

Value standing(const State& state) {
  const std::optional<std::string> open = state.open_transaction();
  return Map{{"generation", state.generation()},
             {"open", open ? summary(*open, read_transaction(state, *open)) : Value()},
             {"epoch", state.epoch()},
             {"inventory", state.inventory().size()}};
}

void print_standing(const Value& standing, std::ostream& output) {
  const std::int64_t managed = standing.at("inventory").as_int();
  if (const Value* generation = standing.find("generation"); generation != nullptr && generation->is_map()) {
    output << "verified: commit " << printable(generation->text_or("commit", "")) << ", by transaction "
           << generation->text_or("transaction", "") << ", confirmed at " << generation->text_or("confirmed_at", "")
           << "\n";
  } else {
    output << "verified: nothing yet\n";
  }
  if (const Value* open = standing.find("open"); open != nullptr && open->is_map()) {
    output << "open: ";
    print_summary(*open, output);
  } else {
    output << "open: nothing\n";
  }
  output << "epoch: " << standing.at("epoch").as_int() << "\n"
         << "managed: " << managed << (managed == 1 ? " thing\n" : " things\n");
}

/// One line of the journal as people read it; a plan as the list of what it touches.
std::string line_of(const Value& record) {
  const std::string kind = record.text_or("record", "?");
  std::string line = kind;
  if (const Value* id = record.find("id")) line += " " + id->as_text();
  if (kind == "state") line += " " + record.text_or("state", "");
  if (kind == "begin") line += " of commit " + record.at("request").text_or("commit", "").substr(0, short_commit);
  if (const Value* failure = record.find("failure"); failure != nullptr && failure->is_map())
    line += ": " + failure->text_or("what", "");
  if (const Value* actions = record.find("actions")) {
    for (const Value& one : actions->as_list()) line += " " + one.at("action").at("id").as_text();
  }
  if (const Value* at = record.find("at")) line = at->as_text() + " " + line;
  return printable(line);
}

void show(const State& state, const std::string& id, bool json, std::ostream& output) {
  const std::vector<Value> records =
      is_transaction_id(id) ? read_journal(state.transaction_path(id, "journal")) : std::vector<Value>();
  if (records.empty()) {
    throw Error("there is no transaction \"" + printable(id) +
                "\" on this host; `holdfast-host history` lists the newest");
  }
  if (json) {
    output << to_json(Value(List(records.begin(), records.end()))) << "\n";
    return;
  }
  for (const Value& record : records) output << line_of(record) << "\n";
}

}  // namespace

int tell_command(const State& state, const std::vector<std::string>& words, std::ostream& output) {
  std::vector<std::string> names = words;
  const bool json = std::erase(names, "--json") > 0;
  const std::string verb = names.empty() ? "" : names.front();
  if (verb == "show" && names.size() == 2) {
    show(state, names[1], json, output);
  } else if (verb == "status" && names.size() == 1) {
    const Value told = standing(state);
    if (json) {
      output << to_json(told) << "\n";
    } else {
      print_standing(told, output);
    }
  } else if (verb == "history" && names.size() == 1) {
    const List told = summaries(state);
    if (json) output << to_json(Value(told)) << "\n";
    for (const Value& one : told) {
      if (!json) print_summary(one, output);
    }
  } else {
    return 2;
  }
  return 0;
}

}  // namespace holdfast
