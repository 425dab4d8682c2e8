#include <controller/cli/log.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>

namespace holdfast {

namespace {

spdlog::level::level_enum level_of(Progress::Level level) {
  switch (level) {
    case Progress::Level::detail:
    case Progress::Level::change:
      return spdlog::level::debug;
    case Progress::Level::step:
    case Progress::Level::good:
      return spdlog::level::info;
    case Progress::Level::warning:
      return spdlog::level::warn;
    case Progress::Level::bad:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string text_record(const Progress& progress) {
  std::string who;
  if (!progress.environment.empty()) who += "environment=" + progress.environment + " ";
  if (!progress.host.empty()) who += "host=" + progress.host + " ";
  return who + progress.text;
}

std::string json_record(const Progress& progress, spdlog::level::level_enum level) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto name = spdlog::level::to_string_view(level);
  return to_json(Map{{"at_ms", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()},
                     {"level", std::string(name.data(), name.size())},
                     {"environment", progress.environment},
                     {"host", progress.host},
                     {"text", progress.text}});
}

}  // namespace

OnProgress daemon_log(LogFormat format, const std::string& level) {
  const auto wanted = spdlog::level::from_str(level);
  if (wanted == spdlog::level::off) {
    throw Error("the log level is debug, info, warn or error, not \"" + level + "\"");
  }
  auto logger = std::make_shared<spdlog::logger>("holdfast", std::make_shared<spdlog::sinks::stdout_sink_mt>());
  logger->set_level(wanted);
  logger->flush_on(spdlog::level::trace);
  logger->set_pattern(format == LogFormat::json ? "%v" : "%Y-%m-%d %H:%M:%S  %-7l  %v");
  return [logger, format](const Progress& progress) {
    const auto severity = level_of(progress.level);
    if (!logger->should_log(severity)) return;
    logger->log(severity, "{}", format == LogFormat::json ? json_record(progress, severity) : text_record(progress));
  };
}

}  // namespace holdfast
