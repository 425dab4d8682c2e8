#include <controller/git/fetch_request.hpp>

namespace holdfast {

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
             {"reference", request.reference}};
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
  request.reference = value.text_or("reference", "");
  return request;
}

}  // namespace holdfast
