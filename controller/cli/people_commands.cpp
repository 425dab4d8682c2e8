#include <controller/cli/people_commands.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

namespace holdfast {

namespace {

PlanFormat format_of(const CommandGroup& group) { return group.is_json() ? PlanFormat::json : PlanFormat::text; }

void add_override(const CommandGroup& group, OverrideOptions& options) {
  CLI::App& over = group.add(
      "override", "let the commit that is wanted now past windows, freezes and gates, for a time", [group, &options] {
        Context context = group.open();
        options.json = group.is_json();
        return override_command(context, options, std::cout);
      });
  over.add_option("environment", options.environment, "the environment")->required();
  over.add_option("--reason", options.reason, "why it can't wait: kept with what it lets through");
  over.add_option("--for", options.duration, "how long, from 1m to 7d [1h]");
  over.add_flag("--end", options.end, "end it now");
}

void add_approve(const CommandGroup& group, DeployOptions& options) {
  CLI::App& approve = group.add(
      "approve", "sign that a commit may go to an environment's hosts, after a look at its plan", [group, &options] {
        Context context = group.open();
        options.format = format_of(group);
        options.terminal = group.terminal();
        return approve_command(context, options, std::cout);
      });
  approve.add_option("environment", options.environment, "the environment")->required();
  approve.add_option("revision", options.revision, "a commit, branch or tag [what would be rolled out]");
  approve.add_option("--reason", options.reason, "why, for the record")->required();
  approve.add_option("--key", options.key, "an SSH key file to sign with, or `agent`");
  approve.add_option("--openpgp", options.openpgp, "an OpenPGP key to sign with, as gpg names it");
}

CLI::App& add_of_suspension(const CommandGroup& group, SuspendOptions& options, const std::string& name,
                            const std::string& help, int (*work)(Context&, const SuspendOptions&, std::ostream&)) {
  CLI::App& added = group.add(name, help, [group, &options, work] {
    Context context = group.open();
    options.format = format_of(group);
    options.terminal = group.terminal();
    return work(context, options, std::cout);
  });
  added.add_option("environment", options.environment, "the environment")->required();
  added.add_option("--host", options.host, "only this host of it");
  added.add_option("--app", options.app, "only what is in this folder or file of manifests, or one resource");
  return added;
}

void add_suspend(const CommandGroup& group, SuspendOptions& options) {
  CLI::App& suspend =
      add_of_suspension(group, options, "suspend",
                        "change nothing of an environment, a host or an application for a time", suspend_command);
  suspend.add_option("--reason", options.reason, "why, for whoever finds it suspended")->required();
  suspend.add_option("--for", options.lasts, "how long: 30m, 2h, 3d [4h]; at most 30d");
  suspend.add_option("--until", options.until, "until this time instead: 2026-11-21T18:00:00Z");
  CLI::App& resume =
      add_of_suspension(group, options, "resume", "show what would be done, and go on with it", resume_command);
  resume.add_flag("--yes,-y", options.yes, "do not ask");
}

void add_capture(const CommandGroup& group, CaptureOptions& options) {
  CLI::App& capture = group.add("capture", "push what was changed by hand on a host as a branch, ready to merge",
                                [group, &options] {
                                  Context context = group.open();
                                  options.json = group.is_json();
                                  return capture_command(context, options, std::cout);
                                });
  capture.add_option("host", options.host, "the host")->required();
  capture.add_option("--environment", options.environment, "of this environment, where several have it");
  capture.add_option("--branch", options.branch, "a new branch's name [holdfast/capture/HOST-TIME]");
}

}  // namespace

void add_people_commands(const CommandGroup& group, PeopleOptions& options) {
  add_override(group, options.override_);
  add_approve(group, options.approve);
  add_suspend(group, options.suspend);
  add_capture(group, options.capture);
}

}  // namespace holdfast
