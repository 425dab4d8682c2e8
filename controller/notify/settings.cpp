#include <controller/notify/settings.hpp>

#include <controller/notify/notification.hpp>
#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

namespace {

bool has(const std::vector<std::string>& list, const std::string& one) {
  return std::ranges::find(list, one) != list.end();
}

}  // namespace

std::vector<SinkSettings> sinks_from(const Value& notify) {
  std::vector<SinkSettings> sinks;
  for (const Value& one : notify.as_list()) {
    SinkSettings sink;
    sink.name = one.at("name").as_text();
    const auto& [type, to] = *one.at("to").as_map().begin();
    sink.type = type;
    sink.to = to;
    if (const Value* events = one.find("events")) sink.events = events->as_texts();
    if (const Value* environments = one.find("environments")) sink.environments = environments->as_texts();
    if (std::ranges::find(sinks, sink.name, &SinkSettings::name) != sinks.end()) {
      throw Error("the controller's settings have two sinks named \"" + sink.name +
                  "\" in `notify`: give each its own");
    }
    sinks.push_back(std::move(sink));
  }
  return sinks;
}

bool shows_status(const SinkSettings& sink) {
  return sink.type == "github" || sink.type == "gitlab" || sink.type == "gitea";
}

bool wants(const SinkSettings& sink, const Notification& one) {
  if (!sink.environments.empty() && !one.environment.empty() && !has(sink.environments, one.environment)) return false;
  if (shows_status(sink)) return !commit_state(one).empty();
  if (one.event == "test" || one.event == "dropped") return true;
  if (!sink.events.empty()) return has(sink.events, one.event);
  return one.event != "deploying" && one.event != "current" && one.event != "overtaken";
}

}  // namespace holdfast
