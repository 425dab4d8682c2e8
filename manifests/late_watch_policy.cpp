#include <manifests/late_watch_policy.hpp>

#include <manifests/formats.hpp>

#include <string>

namespace holdfast {

namespace {

/// "0.5%": its schema has accepted it.
std::optional<double> share(const Value& watch, const char* key) {
  const Value* text = watch.find(key);
  if (text == nullptr) return std::nullopt;
  return std::stod(text->as_text()) / 100;
}

}  // namespace

LateWatchPolicy read_late_watch_policy(const Value& health, std::vector<Finding>& findings) {
  const Value& watch = health.at("watch");
  LateWatchPolicy policy{.for_ms = duration_ms(watch.at("for").as_text()),
                         .every_ms = duration_ms(watch.at("every").as_text()),
                         .failures = static_cast<int>(watch.at("failures").as_int()),
                         .restarts = static_cast<int>(watch.at("restarts").as_int()),
                         .errors = share(watch, "errorRate"),
                         .cpu = share(watch, "cpu"),
                         .memory = share(watch, "memory")};
  if (const Value* latency = watch.find("latency")) {
    policy.percentile = static_cast<double>(latency->at("percentile").as_int()) / 100;
    policy.latency_ms = duration_ms(latency->at("within").as_text());
  }
  if (policy.for_ms != 0 && policy.for_ms < policy.every_ms) {
    findings.push_back({"/spec/health/watch", "\"for\" must be as long as \"every\" at least: nothing would be watched",
                        "make it longer, or say for: 0s", Finding::Place::value, ""});
  }
  return policy;
}

}  // namespace holdfast
