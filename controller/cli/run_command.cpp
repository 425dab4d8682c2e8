#include <controller/api/webhook_server.hpp>
#include <controller/audit/audit_thread.hpp>
#include <controller/cli/audit_commands.hpp>
#include <controller/cli/deploy_commands.hpp>
#include <controller/cli/log.hpp>
#include <controller/cli/pull_comments.hpp>
#include <controller/notify/notifier.hpp>
#include <controller/revert/reverter.hpp>
#include <controller/rollout/watch.hpp>

#include <malloc.h>

#include <atomic>
#include <csignal>
#include <memory>

namespace holdfast {

namespace {

constexpr int most_arenas = 4;

std::atomic<bool> stop_asked = false;

void on_signal(int /*number*/) { stop_asked = true; }

void listen_for_stop() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

/// Hosts' turns are short threads: with an arena for each of eight times the processors, memory that one turn freed
/// would not serve the next.
void keep_memory_together() { mallopt(M_ARENA_MAX, most_arenas); }

std::unique_ptr<WebhookServer> receive_webhooks(const Context& context, const OnProgress& tell) {
  const WebhookConfig& config = context.config.webhook;
  if (config.listen.empty()) return nullptr;
  auto server = std::make_unique<WebhookServer>(WebhookOptions{.listen = config.listen, .path = config.path},
                                                WebhookSecret::read(config.secret_file), context.clock, tell);
  tell({Progress::Level::step, "", "", "webhooks are received at http://" + config.listen + config.path});
  return server;
}

}  // namespace

int run_command(Context& context, const std::string& log_level, bool json) {
  listen_for_stop();
  keep_memory_together();
  const OnProgress tell = daemon_log(json ? LogFormat::json : LogFormat::text, log_level);
  tell({Progress::Level::step, "", "",
        "watching " + context.settings.repository.url + " every " + std::to_string(context.config.poll_ms / 1000) +
            " s; environments are read from branch " + context.settings.branch});
  const Notifier notifier(context.config.notify, context.config.state_file(), *context.store, context.clock, tell);
  AuditSettings audit = audit_settings(context);
  audit.mirror_folder = open_mirror(context.settings)->folder();
  const AuditThread audit_thread(audit, context.config.state_file(), *context.store, context.clock, tell);
  const std::unique_ptr<PullCommenter> commenter = comment_pull_requests(context, tell);
  const Reverter reverter(context.settings, *context.store, context.clock, tell);
  const std::unique_ptr<WebhookServer> webhooks = receive_webhooks(context, tell);
  ControllerSettings settings = context.settings;
  settings.keep_watch = true;
  watch(settings, *context.sessions, *context.store, context.clock, tell,
        {.poll_ms = context.config.poll_ms,
         .sweep_ms = context.config.sweep_ms,
         .open_files = context.open_files,
         .stopping = [] { return stop_asked.load(); },
         .woken = [&webhooks] { return webhooks && webhooks->take_wake(); }});
  tell({Progress::Level::step, "", "", "stopped"});
  return 0;
}

}  // namespace holdfast
