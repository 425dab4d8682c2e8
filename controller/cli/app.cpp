#include <controller/cli/app.hpp>

#include <controller/cli/audit_commands.hpp>
#include <controller/cli/backup_commands.hpp>
#include <controller/cli/basic_commands.hpp>
#include <controller/cli/deploy_commands.hpp>
#include <controller/cli/look_commands.hpp>
#include <controller/cli/notify_command.hpp>
#include <controller/cli/people_commands.hpp>
#include <controller/cli/terminal.hpp>
#include <manifests/error.hpp>
#include <manifests/text.hpp>
#include <version.hpp>

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

namespace {

constexpr int usage_code = 1;

/// Everything that the command line can say.
struct Line {
  std::string config{};
  std::string repository{};
  std::string state{};
  std::string output = "text";
  std::string colour = "auto";
  std::vector<std::string> only_hosts{};
  DeployOptions deploy{};
  BackupOptions backup{};
  PeopleOptions people{};
  std::string folder{};
  std::string revision{};
  std::string topic{};
  std::string host{};
  std::string log_level = "info";
  std::string from_git{};
  int limit = 20;
  bool all = false;
};

class App {
 public:
  App() : app_("holdfast keeps plain Linux hosts in the state that a git repository describes.") {
    app_.set_version_flag("--version", std::string("holdfast ") + version + " (" + build_commit + ")");
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    app_.add_option("--config", line_.config,
                    "the controller's settings [$HOLDFAST_CONFIG, ./holdfast.yaml, /etc/holdfast/holdfast.yaml]");
    app_.add_option("--repository", line_.repository, "the fleet repository, over what the settings say");
    app_.add_option("--state", line_.state, "the folder of the state file and the mirrors, over what the settings say");
    app_.add_option("--output,-o", line_.output, "text or json; `plan` also knows markdown")
        ->check(CLI::IsMember({"text", "json", "markdown"}));
    app_.add_option("--color,--colour", line_.colour, "auto, always or never [auto: on a terminal, without NO_COLOR]")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    app_.footer(
        "Exit codes: 0 done or nothing to do, 1 error, 2 changes pending (plan), 3 rolled back or held,\n"
        "4 refused by policy.\n\n"
        "  holdfast init fleet && holdfast validate fleet    a first fleet, checked\n"
        "  holdfast plan staging                             what would change\n"
        "  holdfast run --config holdfast.yaml               the controller\n");
    add_manifest_commands();
    add_deploy_commands();
    add_people_commands(
        {.add = [this](const std::string& name, const std::string& help,
                       std::function<int()> work) -> CLI::App& { return *command(name, help, std::move(work)); },
         .open = [this] { return open(""); },
         .is_json = [this] { return line_.output == "json"; },
         .terminal = [this] { return terminal(); }},
        line_.people);
    add_backup_commands();
    add_look_commands();
    add_notify_commands();
    add_audit_commands();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ExtrasError& error) {
      return unknown_word(error);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : usage_code;
    }
    if (!chosen_) {
      std::cout << app_.help();
      return usage_code;
    }
    return chosen_();
  }

 private:
  CLI::App* command(const std::string& name, const std::string& help, std::function<int()> work) {
    CLI::App* added = app_.add_subcommand(name, help);
    added->final_callback([this, work = std::move(work)] { chosen_ = work; });
    names_.push_back(name);
    return added;
  }

  void add_manifest_commands() {
    auto* init =
        command("init", "write a first fleet into a folder", [this] { return init_command(line_.folder, std::cout); });
    init->add_option("folder", line_.folder, "a new or empty folder")->required();
    auto* validate = command("validate", "check all manifests of a folder, or of a commit; needs no host",
                             [this] { return check(); });
    validate->add_option("folder", line_.folder, "the folder [.]");
    validate->add_option("--rev", line_.revision, "a commit, branch or tag of the repository instead");
    auto* explain = command("explain", "what a kind or a field of it means: explain SystemdUnit.health",
                            [this] { return explain_command(line_.topic, line_.output == "json", std::cout); });
    explain->add_option("topic", line_.topic, "KIND, KIND.field, or plan; nothing lists the kinds");
  }

  void add_deploy_commands() {
    auto* plan =
        deploy_command("plan", "what would change on each host of an environment; changes nothing", plan_command);
    plan->add_option("--rev", line_.deploy.revision,
                     "as if the environment were at this commit, branch, tag or ref (refs/pull/17/head)");
    plan->add_flag("--why", line_.deploy.why, "tell why each change is there: the commit, or what drifted");
    plan->add_flag("--full", line_.deploy.full, "cut nothing: neither long diffs nor long lines");
    auto* apply = deploy_command("apply", "one turn of an environment, now", apply_command);
    apply->add_flag("--allow-prune", line_.deploy.allow_prune,
                    "remove also more than 10 resources or 20 % of a host's, this one time");
    apply->add_flag("--repair", line_.deploy.repair, "put drift right also where the policy says that it is only told");
    auto* rollback = deploy_command("rollback", "go back to the verified commit before", rollback_command);
    rollback->add_option("--to", line_.deploy.revision, "to this commit, branch or tag instead");
    rollback->add_option("--reason", line_.deploy.reason, "why, for the history");
    deploy_command("retry", "lift what is held, so that it is tried again", retry_command);
    deploy_command("adopt", "take hosts over from another controller, which may only look from then on", adopt_command);
    auto* run = command("run", "the controller: follow the repository until told to stop", [this] {
      Context context = open("holdfast run");
      return run_command(context, line_.log_level, line_.output == "json");
    });
    run->add_option("--log-level", line_.log_level, "debug, info, warn or error");
  }

  void add_backup_commands() {
    auto* backup = app_.add_subcommand("backup", "backups on the hosts: list, run, verify");
    backup->require_subcommand(1);
    names_.emplace_back("backup");
    add_backup_command(*backup, "list", "every backup of an environment's hosts, and runs that failed",
                       backup_list_command);
    add_backup_command(*backup, "run", "take and verify one now", backup_run_command);
    auto* verify = add_backup_command(
        *backup, "verify", "read one back from the host's disk: the newest, or one by its id", backup_verify_command);
    verify->add_option("id", line_.backup.id, "its id, as `backup list` tells it");
  }

  CLI::App* add_backup_command(CLI::App& backup, const std::string& name, const std::string& help,
                               int (*work)(Context&, const BackupOptions&, std::ostream&)) {
    auto* added = backup.add_subcommand(name, help);
    added->final_callback([this, work] {
      chosen_ = [this, work] {
        Context context = open("");
        line_.backup.json = line_.output == "json";
        line_.backup.terminal = terminal_of(STDOUT_FILENO);
        return work(context, line_.backup, std::cout);
      };
    });
    added->add_option("environment", line_.backup.environment, "the environment")->required();
    added->add_option("policy", line_.backup.policy, "only this BackupPolicy");
    added->add_option("--host", line_.backup.hosts, "only on this host; may be said again")->allow_extra_args(false);
    return added;
  }

  void add_look_commands() {
    auto* status = command("status", "how every environment and host stands", [this] { return tell_status(); });
    status->add_option("environment", line_.deploy.environment, "only this one");
    status->add_flag("--all", line_.all, "every host, also where there are many and all is well with them");
    auto* history = command("history", "deployments, newest first", [this] {
      if (const auto trail = asked_trail(*history_from_)) {
        const TrailFilter filter{line_.deploy.environment, line_.host, static_cast<std::size_t>(line_.limit)};
        return trail_history_command(*trail, filter, plain_look(), std::cout);
      }
      return history_command(*store(), line_.deploy.environment, line_.host, line_.limit, look(), std::cout);
    });
    history_from_ = add_from_git(*history);
    history->add_option("environment", line_.deploy.environment, "only of this one");
    history->add_option("--host", line_.host, "only of this host");
    history->add_option("--limit", line_.limit, "at most so many [20]")->check(CLI::Range(1, 10'000));
    auto* show = command("show", "one deployment: what changed and what happened", [this] { return show_one(); });
    show->add_option("id", line_.topic, "its number in the history; of the audit branch also a part of its id")
        ->required();
    show_from_ = add_from_git(*show);
    auto* where = command("where", "what a host had at a time, by which deployment, and who had approved it", [this] {
      return where_command(find_trail(line_.from_git, own_state()), line_.topic, plain_look(), std::cout);
    });
    where->add_option("host", line_.topic, "HOST or HOST@TIME, such as web1@2026-11-21T14:03:09Z")->required();
    add_from_git(*where);
  }

  void add_notify_commands() {
    auto* notify = app_.add_subcommand("notify", "who is told what happened: test");
    notify->require_subcommand(1);
    names_.emplace_back("notify");
    auto* test = notify->add_subcommand("test", "tell the sinks of the settings something, and say what came of it");
    test->final_callback([this] {
      chosen_ = [this] {
        const ControllerConfig config = load_config(line_.config, line_.repository, line_.state);
        return notify_test_command(config.notify, line_.topic, system_clock(), line_.output == "json", std::cout);
      };
    });
    test->add_option("sink", line_.topic, "only this one");
  }

  void add_audit_commands() {
    auto* audit = app_.add_subcommand("audit", "the branch holdfast/audit: verify");
    audit->require_subcommand(1);
    names_.emplace_back("audit");
    auto* verify = audit->add_subcommand("verify", "follow its chain: was an entry changed, removed or moved?");
    verify->final_callback([this] { chosen_ = [this] { return verify_audit(); }; });
    verify->add_option(
        "folder", line_.folder,
        "a clone of the fleet's repository; without it: as the settings' remote has it, or --repository");
  }

  int verify_audit() {
    const bool json = line_.output == "json";
    if (!line_.folder.empty()) return audit_verify_command(open_trail(line_.folder), "", json, std::cout);
    const bool named = !line_.config.empty() || !line_.repository.empty() || !line_.state.empty();
    const ControllerConfig config = load_config(line_.config, line_.repository, line_.state);
    if (!named && config.file.empty()) return audit_verify_command(open_trail("."), "", json, std::cout);
    std::string seen;
    if (std::filesystem::exists(config.state_file())) seen = seen_by(*Store::open(config.state_file()));
    return audit_verify_command(fetch_trail(config.repository, config.state), seen, json, std::cout);
  }

  CLI::Option* add_from_git(CLI::App& command) {
    return command
        .add_option("--from-git", line_.from_git, "ask the audit branch of this clone instead of the state [.]")
        ->expected(0, 1);
  }

  /// The branch to be asked: where that was said, and where there is a clone but no state.
  std::optional<Trail> asked_trail(const CLI::Option& from_git) {
    if (from_git.count() != 0) return open_trail(line_.from_git.empty() ? "." : line_.from_git);
    const bool named = !line_.config.empty() || !line_.repository.empty() || !line_.state.empty();
    if (named || !own_state().empty()) return std::nullopt;
    try {
      return open_trail(".");
    } catch (const Error&) {
      return std::nullopt;  // neither: the state's own words say what is missing
    }
  }

  /// The state folder, where there is a state file in it.
  [[nodiscard]] std::string own_state() const {
    try {
      const ControllerConfig config = load_config(line_.config, line_.repository, line_.state);
      return std::filesystem::exists(config.state_file()) ? config.state : "";
    } catch (const Error&) {
      return "";
    }
  }

  int show_one() {
    if (const auto trail = asked_trail(*show_from_)) {
      return trail_show_command(*trail, line_.topic, plain_look(), std::cout);
    }
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(line_.topic.data(), line_.topic.data() + line_.topic.size(), id);
    if (error != std::errc() || end != line_.topic.data() + line_.topic.size()) {
      throw Error("\"" + printable(line_.topic) +
                  "\" is no number of a deployment; entries of the audit branch are shown with --from-git");
    }
    return show_command(*store(), id, look(), std::cout);
  }

  int tell_status() {
    const std::unique_ptr<Store> opened = store();
    LookOptions options = look();
    options.sinks = NotifyQueue::open(load_config(line_.config, line_.repository, line_.state).state_file())->sinks();
    options.audit = standing_of(*opened, load_config(line_.config, line_.repository, line_.state).state_file());
    return status_command(*opened, line_.deploy.environment, options, std::cout);
  }

  CLI::App* deploy_command(const std::string& name, const std::string& help,
                           int (*work)(Context&, const DeployOptions&, std::ostream&)) {
    auto* added = command(name, help, [this, work] {
      Context context = open("");
      line_.deploy.format = line_.output == "json"       ? PlanFormat::json
                            : line_.output == "markdown" ? PlanFormat::markdown
                                                         : PlanFormat::text;
      line_.deploy.terminal = terminal();
      std::ranges::move(line_.only_hosts, std::back_inserter(line_.deploy.hosts));
      const int code = work(context, line_.deploy, std::cout);
      write_audit_now(context, std::cerr);
      return code;
    });
    added->add_option("environment", line_.deploy.environment, "the environment")->required();
    added->add_option("hosts", line_.deploy.hosts, "only these hosts of it");
    added->add_option("--host", line_.only_hosts, "only this host; may be repeated");
    return added;
  }

  int check() {
    if (line_.revision.empty()) {
      return validate_command(line_.folder.empty() ? "." : line_.folder, line_.output == "json", std::cout);
    }
    const ControllerConfig config = load_config(line_.config, line_.repository, line_.state);
    return validate_revision_command(config.repository, config.load, line_.revision, line_.output == "json", std::cout);
  }

  Context open(const std::string& requested_by) {
    return open_context(load_config(line_.config, line_.repository, line_.state), requested_by);
  }

  std::unique_ptr<Store> store() {
    return Store::open(load_config(line_.config, line_.repository, line_.state).state_file());
  }

  [[nodiscard]] Terminal terminal() const {
    return terminal_of(STDOUT_FILENO, line_.colour == "always"  ? UseColour::always
                                      : line_.colour == "never" ? UseColour::never
                                                                : UseColour::automatic);
  }

  [[nodiscard]] LookOptions plain_look() const {
    return {
        .json = line_.output == "json", .all = line_.all, .terminal = terminal(), .now_ms = system_clock().wall_ms()};
  }

  [[nodiscard]] LookOptions look() const {
    const std::string signs = load_config(line_.config, line_.repository, line_.state).processes_folder();
    return {.json = line_.output == "json",
            .all = line_.all,
            .terminal = terminal(),
            .now_ms = system_clock().wall_ms(),
            .lives = [signs](const std::string& process) { return process_lives(signs, process); }};
  }

  int unknown_word(const CLI::ExtrasError& error) {
    std::cerr << "holdfast: " << printable(error.what());
    const auto words = app_.remaining(true);
    const auto near = words.empty() ? std::string() : nearest(words.front(), names_);
    if (!near.empty()) std::cerr << "; did you mean `holdfast " << near << "`?";
    std::cerr << "\nRun `holdfast --help` for the commands.\n";
    return usage_code;
  }

  CLI::App app_;
  Line line_;
  std::vector<std::string> names_;
  CLI::Option* history_from_ = nullptr;
  CLI::Option* show_from_ = nullptr;
  std::function<int()> chosen_;
};

}  // namespace

int run_app(int argc, char** argv) {
  try {
    return App().run(argc, argv);
  } catch (const Error& error) {
    std::cerr << "holdfast: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace holdfast
