#include <controller/git/fetch_request.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t max_answer_bytes = 64U << 10U;
constexpr std::size_t max_reason_bytes = 200;

Value to_value(const std::vector<RefUpdate>& updates) {
  List list;
  for (const RefUpdate& update : updates)
    list.push_back(Map{{"id", update.id}, {"name", update.name}, {"fresh", update.fresh}});
  return list;
}

}  // namespace

Value to_value(const FetchRequest& request) {
  return Map{{"folder", request.folder},
             {"url", request.remote.url},
             {"identity", request.remote.identity},
             {"host_key", request.remote.host_key},
             {"known_hosts", request.remote.known_hosts},
             {"token_file", request.remote.token_file},
             {"ca_file", request.remote.ca_file},
             {"deadline_ms", request.deadline_ms},
             {"max_bytes", request.max_bytes},
             {"max_objects", static_cast<std::int64_t>(request.max_objects)},
             {"only_branch", request.only_branch},
             {"reference", request.reference},
             {"push", to_value(request.push)}};
}

FetchRequest fetch_request_from(const Value& value) {
  FetchRequest request;
  request.folder = value.at("folder").as_text();
  request.remote.url = value.at("url").as_text();
  request.remote.identity = value.text_or("identity", "");
  request.remote.host_key = value.text_or("host_key", "");
  request.remote.known_hosts = value.text_or("known_hosts", "");
  request.remote.token_file = value.text_or("token_file", "");
  request.remote.ca_file = value.text_or("ca_file", "");
  request.deadline_ms = value.int_or("deadline_ms", request.deadline_ms);
  request.max_bytes =
      static_cast<std::uint64_t>(value.int_or("max_bytes", static_cast<std::int64_t>(request.max_bytes)));
  request.max_objects = static_cast<std::uint32_t>(value.int_or("max_objects", request.max_objects));
  request.only_branch = value.text_or("only_branch", "");
  request.reference = value.text_or("reference", "");
  for (const Value& update : value.at("push").as_list()) {
    request.push.push_back({update.at("id").as_text(), update.at("name").as_text(), update.bool_or("fresh", false)});
  }
  return request;
}

Value to_value(const std::vector<RejectedUpdate>& rejected) {
  List list;
  for (const RejectedUpdate& one : rejected) {
    list.push_back(Map{{"name", one.update.name}, {"reason", printable(one.reason.substr(0, max_reason_bytes))}});
  }
  return list;
}

Pushed pushed_from(const std::string& answer, const std::vector<RefUpdate>& updates) {
  const Value told = from_json(answer, {.bytes = max_answer_bytes, .depth = 4});
  Pushed pushed;
  for (const RefUpdate& update : updates) {
    const auto& list = told.as_list();
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const Value& one) { return one.at("name").as_text() == update.name; });
    if (found == list.end()) {
      pushed.done.push_back(update);
    } else {
      pushed.rejected.push_back({update, found->at("reason").as_text()});
    }
  }
  return pushed;
}

}  // namespace holdfast
