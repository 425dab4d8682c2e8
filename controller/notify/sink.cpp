#include <controller/notify/sink.hpp>

#include <controller/notify/post.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

namespace holdfast {

namespace {

SendResult send(const SinkSettings& sink, const Notification& note, const std::atomic<bool>& stop) {
  if (sink.type == "slack") return send_slack(sink.to, note, stop);
  if (sink.type == "webhook") return send_webhook(sink.to, note, stop);
  if (sink.type == "mail") return send_mail(sink.to, note, stop);
  if (shows_status(sink)) return send_commit_status(sink.type, sink.to, note, stop);
  throw Error("sinks of type \"" + sink.type + "\" are not known");
}

}  // namespace

SendResult send_to(const SinkSettings& sink, const Notification& note, const std::atomic<bool>& stop) {
  try {
    return send(sink, note, stop);
  } catch (const Error& error) {
    return {SendResult::State::later, printable(error.what()), 0};
  }
}

std::string place_of(const SinkSettings& sink) {
  if (sink.type == "mail") return "mail by " + printable(sink.to.at("server").as_text());
  try {
    const bool has_api = sink.to.find("api") != nullptr;
    const auto parts =
        split_url(has_api ? sink.to.at("api").as_text() : secret_in(sink.to.at("urlFile").as_text(), "a URL"));
    return sink.type + (parts ? " at " + printable(parts->host) : "");
  } catch (const Error&) {
    return sink.type;  // what is wrong with the file is told when it is used
  }
}

}  // namespace holdfast
