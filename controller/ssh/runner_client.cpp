#include <controller/ssh/runner_client.hpp>

#include <controller/ssh/conversation.hpp>
#include <controller/ssh/runner_replies.hpp>
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

}  // namespace

struct RunnerClient::Impl {
  std::unique_ptr<Connection> connection{};
  std::unique_ptr<Conversation> conversation{};
  std::set<std::string> kept{};  // digests of bundles that this runner has
  bool lost = false;
  Map controller{};      // who asks; empty: nobody says
  bool watched = false;  // the host was asked to say what changes

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
    const std::string doing = "asking the host's runner " + what;
    Answer answer = while_doing(doing, [&] {
      Map message = request;
      if (!controller.empty()) message.insert_or_assign("controller", controller);
      return talk(deadline).ask(message, on_event, deadline);
    });
    if (!answer.error.empty()) throw HostSaysNo("while " + doing + ": " + answer.error);
    return answer;
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

void RunnerClient::introduce(const std::string& id, const std::string& name) {
  impl_->controller.clear();
  if (!id.empty()) impl_->controller = {{"id", id}, {"name", name}};
}

const Hello& RunnerClient::hello() const {
  if (!impl_->conversation || !impl_->conversation->hello()) throw Error("the host has not answered anything yet");
  return *impl_->conversation->hello();
}

bool RunnerClient::alive() const {
  return !impl_->lost && impl_->connection->alive() && !(impl_->conversation && impl_->conversation->over());
}

std::string RunnerClient::keep_watch(Deadline deadline) {
  if (impl_->watched || !impl_->conversation || !impl_->conversation->hello() || !impl_->conversation->hello()->watches)
    return "";
  impl_->watched = true;
  return impl_->read("to keep watch", {{"do", "watch"}}, {}, deadline, [](const Value& reply) -> std::string {
    const std::int64_t left_out = reply.at("watching").int_or("left_out", 0);
    if (left_out == 0) return "";
    return std::to_string(left_out) + " paths are more than can be watched: what happens to them is found by the sweep";
  });
}

std::vector<RunnerClient::Trace> RunnerClient::traces(const std::vector<std::string>& ids, Deadline deadline) {
  if (!impl_->conversation || !impl_->conversation->hello() || !impl_->conversation->hello()->traces) return {};
  return impl_->read("who changed it", {{"do", "traces"}, {"ids", Value::texts(ids)}}, {}, deadline,
                     [&ids](const Value& reply) {
                       constexpr std::size_t longest = 400;
                       std::vector<Trace> traces;
                       for (const Value& one : reply.at("traces").as_list()) {
                         if (traces.size() == ids.size()) throw Error("more traces than were asked for");
                         traces.push_back({.id = text_of(one, "id"),
                                           .at_ms = one.int_or("at_ms", 0),
                                           .by = text_of(one, "by").substr(0, longest)});
                       }
                       return traces;
                     });
}

void RunnerClient::hear() {
  if (impl_->conversation && !impl_->lost) impl_->conversation->hear();
}

std::optional<Value> RunnerClient::take_changed() {
  return impl_->conversation ? impl_->conversation->take_changed() : std::nullopt;
}

int RunnerClient::wake_fd() const {
  return impl_->watched && impl_->conversation ? impl_->conversation->wake_fd() : -1;
}

PlanReply RunnerClient::plan(const Bundle& bundle, const PlanRequest& request, Deadline deadline) {
  const std::string digest = request.digest.empty() ? digest_of(bundle) : request.digest;
  Answer answer = impl_->ask_plan(bundle, digest, request, deadline);
  (void)take_changed();  // noticed before the host looked for this plan
  return impl_->checked("for a plan", [&] {
    PlanReply reply{.plan = plan_from(answer.reply.at("plan")),
                    .open = open_from(answer.reply),
                    .owner = owner_from(answer.reply),
                    .epoch = answer.reply.int_or("epoch", 0),
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
  Map message{{"do", "apply"},
              {"transaction", request.transaction},
              {"epoch", request.epoch},
              {"bundle_digest", request.bundle_digest},
              {"plan_digest", request.plan_digest},
              {"commit", request.commit},
              {"deadman_ms", request.deadman_ms},
              {"allow_prune", request.allow_prune}};
  if (!request.leave.empty()) message["leave"] = Value::texts(request.leave);
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

RunnerClient::Standing RunnerClient::claim(const Claim& claim, std::int64_t epoch, Deadline deadline) {
  Map message{{"do", "status"}, {"brief", true}};
  if (epoch > 0) message["epoch"] = epoch;
  add_claim(message, claim);
  return impl_->read("whose it is", message, {}, deadline, [](const Value& reply) {
    return Standing{.open = open_from(reply), .owner = owner_from(reply), .epoch = reply.int_or("epoch", 0)};
  });
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
