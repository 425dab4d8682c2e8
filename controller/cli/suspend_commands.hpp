#pragma once

#include <controller/cli/deploy_commands.hpp>

#include <iosfwd>
#include <string>

namespace holdfast {

struct SuspendOptions {
  std::string environment{};
  std::string host{};
  std::string app{};
  std::string reason{};
  std::string lasts{};  // "2h"; empty: four hours, or until `until`
  std::string until{};  // "2026-11-21T18:00:00Z"
  bool yes = false;     // resume: do not ask
  PlanFormat format = PlanFormat::text;
  Terminal terminal{};
};

/// When a suspension that begins at `now_ms` is over. Throws Error for a time that is none, gone, or more than 30 days
/// away.
std::int64_t end_of_suspension(const std::string& lasts, const std::string& until, std::int64_t now_ms);

/// `holdfast suspend ENV --reason TEXT`: nothing of the environment, a host or an application is changed until it is
/// resumed or its time is over. Needs no remote and no host. 0.
int suspend_command(Context& context, const SuspendOptions& options, std::ostream& out);

/// `holdfast resume ENV`: shows what would be done then, and ends the suspension when that is confirmed. 0; 1 where it
/// was not confirmed, or nothing is suspended.
int resume_command(Context& context, const SuspendOptions& options, std::ostream& out);

}  // namespace holdfast
