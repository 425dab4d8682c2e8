#include <controller/notify/post.hpp>

#include <manifests/json.hpp>

namespace holdfast {

namespace {

constexpr std::size_t most_text = 3000;

/// Slack reads `<…>` as links and mentions (`<!channel>`), so that the three characters that begin them are all that
/// has to be written otherwise.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '`':
        safe += '\'';  // would end the block that it stands in
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string slack_text(const Notification& note) {
  std::string details;
  for (const std::string& line : details_of(note)) details += (details.empty() ? "" : "\n") + line;
  std::string text = (is_trouble(note) ? ":warning: " : "") + escaped(title_of(note));
  if (!details.empty()) text += "\n```" + escaped(cut_text(details, most_text)) + "```";
  return text;
}

SendResult send_slack(const Value& to, const Notification& note, const std::atomic<bool>& stop) {
  const std::string url = secret_in(to.at("urlFile").as_text(), "the webhook's URL");
  const Value message = Map{{"text", slack_text(note)}};
  return post({.url = url,
               .body = to_json(message),
               .ca_file = to.text_or("caFile", ""),
               .secrets = {url, path_of(url)}},
              stop)
      .result;
}

}  // namespace holdfast
