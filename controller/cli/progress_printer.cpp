#include <controller/cli/progress_printer.hpp>

#include <controller/plan/times.hpp>
#include <manifests/json.hpp>

#include <chrono>
#include <map>
#include <ostream>

namespace holdfast {

namespace {

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

const char* level_name(Progress::Level level) {
  switch (level) {
    case Progress::Level::detail:
      return "detail";
    case Progress::Level::change:
      return "change";
    case Progress::Level::step:
      return "step";
    case Progress::Level::good:
      return "good";
    case Progress::Level::warning:
      return "warning";
    case Progress::Level::bad:
      return "bad";
  }
  return "step";
}

Style style_of(Progress::Level level) {
  switch (level) {
    case Progress::Level::detail:
      return Style::dim;
    case Progress::Level::good:
      return Style::good;
    case Progress::Level::warning:
      return Style::warning;
    case Progress::Level::bad:
      return Style::bad;
    case Progress::Level::change:
    case Progress::Level::step:
      break;
  }
  return Style::plain;
}

std::string name_of(const Progress& progress) {
  if (progress.host.empty()) return progress.environment.empty() ? "holdfast" : progress.environment;
  return progress.environment + "/" + progress.host;
}

std::string counts(const EnvironmentReport& report) {
  std::map<std::string_view, int> number;
  for (const HostReport& host : report.hosts) ++number[to_text(host.result)];
  std::string text;
  for (const auto& [name, count] : number) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(name);
  }
  return text.empty() ? "nothing to do" : text;
}

}  // namespace

void ProgressPrinter::tell(const Progress& progress) {
  const std::scoped_lock lock(mutex_);
  if (json_) {
    Map record{{"at_ms", now_ms()},
               {"level", level_name(progress.level)},
               {"environment", progress.environment},
               {"host", progress.host},
               {"text", progress.text}};
    if (progress.record.is_map()) record.insert(progress.record.as_map().begin(), progress.record.as_map().end());
    out_ << to_json(record) << std::endl;
    return;
  }
  if (terminal_.live) {
    tell_live(progress);
  } else {
    tell_line(progress);
  }
}

/// What goes on is rewritten in place; what went wrong, was decided or is done stays to be read.
void ProgressPrinter::tell_live(const Progress& progress) {
  const bool passes = progress.level == Progress::Level::detail ||
                      (progress.level == Progress::Level::step && !progress.record.is_map());
  const bool stays = !passes;
  if (!stays) {
    live_.update(name_of(progress), progress.text);
    return;
  }
  live_.end();
  tell_line(progress);
}

void ProgressPrinter::tell_line(const Progress& progress) {
  constexpr std::size_t column = 22;
  std::string who = name_of(progress);
  if (who.size() < column) who.resize(column, ' ');
  const std::string indent(8 + 2 + who.size() + 2, ' ');
  std::string text = progress.text;
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    text.insert(at + 1, indent);
  }
  out_ << utc_text(now_ms()).substr(11, 8) << "  " << who
       << (progress.level == Progress::Level::detail || progress.level == Progress::Level::change ? "    " : "  ")
       << styled(style_of(progress.level), text, terminal_.colour) << std::endl;
}

void ProgressPrinter::end(const EnvironmentReport& report) {
  const std::scoped_lock lock(mutex_);
  if (json_) {
    List hosts;
    for (const HostReport& host : report.hosts) {
      hosts.push_back(Map{{"host", host.host},
                          {"result", std::string(to_text(host.result))},
                          {"detail", host.detail},
                          {"deployment", host.deployment}});
    }
    out_ << to_json(Map{{"version", 1},
                        {"environment", report.environment},
                        {"commit", report.commit},
                        {"refused", report.refused},
                        {"problems", static_cast<std::int64_t>(report.problems.size())},
                        {"hosts", hosts}})
         << std::endl;
    return;
  }
  live_.end();
  out_ << report.environment << ": " << counts(report) << std::endl;
  for (const HostReport& host : report.hosts) {
    if (host.detail.empty()) continue;
    out_ << "  " << host.host << ": " << host.detail
         << (host.deployment == 0 ? "" : "  (`holdfast show " + std::to_string(host.deployment) + "`)") << std::endl;
  }
}

}  // namespace holdfast
