#pragma once

#include <manifests/value.hpp>
#include <reconcilers/primitive.hpp>

#include <string>

namespace holdfast {

/// One declared health check of a host, as the schema normalised it. `spec` has exactly one of these members:
///   http:    {url, method, status: [codes], headers: {sent}, header: {name: text}, body: {contains | matches}, json:
///             {pointer: value}, within_ms, redirects, verify_tls, certificate_days, connect: "127.0.0.1:443" |
///             "/run/app.sock", from: "host" | "controller"}
///   tcp:     {address: "127.0.0.1:5432" | "/run/app.sock", within_ms, from}
///   unit:    {name, restarts: "unmoved" | "any"}
///   command: {argv, user, exit, output: {contains | matches}, within_ms}
struct Check {
  std::string name{};  // unique on the host: "SystemdUnit/cvd.service http http://127.0.0.1:5000/health"
  Value spec{};
  Origin origin{};
};

Value to_value(const Check& check);
Check check_from(const Value& value);

}  // namespace holdfast
