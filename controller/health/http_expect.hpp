#pragma once

#include <controller/health/http_client.hpp>
#include <manifests/value.hpp>

#include <optional>
#include <string>

namespace holdfast {

/// What is wanted of an HTTP answer and not found, by a check's `http` member: status, header, body, json,
/// certificate_days. The first shortfall, fit for people; nullopt where the answer is as expected. `now` in seconds
/// since the epoch.
std::optional<std::string> http_shortfall(const Value& http, const HttpResponse& response, std::int64_t now);

/// The value that an RFC 6901 pointer names in a document; nullptr where there is none.
const Value* json_at(const Value& document, std::string_view pointer);

}  // namespace holdfast
