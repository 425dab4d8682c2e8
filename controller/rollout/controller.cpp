#include <controller/rollout/controller.hpp>

#include <controller/git/release_sources.hpp>
#include <controller/rollout/late_watches.hpp>
#include <controller/rollout/source.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t max_content_bytes = 256U << 20U;
constexpr std::int64_t others_undo_ms = 60'000;  // beside what the host itself waits for
constexpr std::size_t least_patient = 64;        // turns that only wait cost a thread each and nothing else
constexpr std::size_t patient_per_worker = 8;

std::string mirror_folder(const ControllerSettings& settings) {
  return settings.state + "/mirrors/" + sha256(settings.repository.url).substr(0, 16);
}

/// Keys and tokens belong to the host that they were given for: another repository on the same remote host gets them,
/// any other gets none.
Remote remote_beside(const Remote& own, const std::string& url) {
  const auto host_of = [](const std::string& text) { return text.substr(0, text.find('/', text.find("://") + 3)); };
  Remote remote = own;
  if (own.url.find("://") == std::string::npos || host_of(own.url) != host_of(url)) {
    remote.token_file.clear();
    remote.host_key.clear();
  }
  remote.url = url;
  return remote;
}

}  // namespace

std::unique_ptr<Mirror> open_mirror(const ControllerSettings& settings) {
  return Mirror::open(mirror_folder(settings), settings.repository, settings.mirror);
}

Policy read_policy(const Mirror& mirror, const ControllerSettings& settings) {
  const auto head = mirror.branch(settings.branch);
  if (!head) {
    throw Error("the root branch \"" + settings.branch + "\" is not in " + settings.repository.url +
                ": push it, or name another with `branch:` in the controller's settings");
  }
  return read_policy_at(mirror, *head, settings);
}

Policy read_policy_at(const Mirror& mirror, const std::string& commit, const ControllerSettings& settings) {
  const EnvironmentsResult loaded = load_environments(*mirror.tree(commit), settings.load);
  return {.commit = commit, .environments = loaded.environments, .problems = loaded.problems};
}

struct EnvironmentWorker::Parts {
  Parts(const ControllerSettings& own, SessionPool& sessions, Store& store, const Clock& clock, OnProgress on_progress)
      : settings(own),
        mirror(open_mirror(own)),
        sources(*mirror, mirror_folder(own),
                {.folder = own.state + "/mirrors",
                 .remote_for = [remote = own.repository](const std::string& url) { return remote_beside(remote, url); },
                 .mirror = own.mirror}),
        late(store, clock),
        host{.sessions = sessions,
             .store = store,
             .clock = clock,
             .on_progress = std::move(on_progress),
             .process = own.process,
             .keep_watch = own.keep_watch,
             .lease_ms = own.lease_ms,
             .lives = own.lives,
             .late = &late},
        turns(host, {.workers = own.workers, .patient = std::max(least_patient, patient_per_worker * own.workers)}) {}

  EnvironmentTools tools(const std::string& policy_commit) {
    return {.host = host,
            .mirror = *mirror,
            .sources = sources,
            .cache = cache,
            .git = git,
            .refused_head = refused_head,
            .policy_commit = policy_commit};
  }

  [[nodiscard]] EnvironmentJob job(const Environment& environment, const std::vector<std::string>& only_hosts) const {
    return {.environment = environment,
            .requested_by = settings.requested_by,
            .only_hosts = only_hosts,
            .workers = settings.workers,
            .allow_prune = settings.allow_prune,
            .repair = settings.repair,
            .load = settings.load};
  }

  ControllerSettings settings;
  std::mutex git;  // the mirror, the sources and the cache belong to one thread at a time
  std::unique_ptr<Mirror> mirror;
  GitReleaseSources sources;
  DesiredCache cache;
  std::string refused_head{};
  LateWatches late;
  HostTools host;
  EnvironmentRun turns;  // last: what runs uses all of the above
};

EnvironmentWorker::EnvironmentWorker(const ControllerSettings& settings, SessionPool& sessions, Store& store,
                                     const Clock& clock, OnProgress on_progress)
    : parts_(std::make_unique<Parts>(settings, sessions, store, clock, std::move(on_progress))) {
  parts_->host.read_content = [this](const Content& content) { return read_content(content); };
}

EnvironmentWorker::~EnvironmentWorker() = default;

void EnvironmentWorker::refuse(const std::string& commit) { parts_->refused_head = commit; }

EnvironmentReport EnvironmentWorker::run(const Environment& environment, const std::string& policy_commit,
                                         const std::vector<std::string>& only_hosts) {
  EnvironmentJob job = parts_->job(environment, only_hosts);
  const std::int64_t patience_ms = parts_->settings.patience_ms;
  job.patience_ms = patience_ms > 0 ? patience_ms : environment.health.confirm_within_ms + others_undo_ms;
  EnvironmentReport report = parts_->turns.poll(job, parts_->tools(policy_commit));
  report.hosts = parts_->turns.wait();
  return report;
}

void EnvironmentWorker::poll(const Environment& environment, const std::string& policy_commit) {
  (void)parts_->turns.poll(parts_->job(environment, {}), parts_->tools(policy_commit));
}

std::vector<std::string> EnvironmentWorker::due() { return parts_->late.due(); }

std::vector<std::string> EnvironmentWorker::wake(const std::vector<std::string>& hosts) {
  return parts_->turns.wake(hosts);
}

std::shared_ptr<const Desired> EnvironmentWorker::desired(const Environment& environment,
                                                          const std::string& policy_commit, const std::string& revision,
                                                          EnvironmentReport& report) {
  EnvironmentTools tools = parts_->tools(policy_commit);
  const EnvironmentJob job = parts_->job(environment, {});
  if (revision.empty()) return desired_now(job, tools, report);

  const auto commit = parts_->mirror->resolve(revision);
  if (!commit) throw Error("\"" + printable(revision) + "\" is no commit, branch or tag of the repository");
  report.commit = *commit;
  auto desired = desired_at(job, tools, *commit);
  report.problems = desired->problems;
  return desired->problems.empty() ? desired : nullptr;
}

std::string EnvironmentWorker::read_content(const Content& content) {
  if (content.object.empty()) return content.bytes;
  const std::scoped_lock lock(parts_->git);
  return parts_->sources.bytes(content.repository, content.object, max_content_bytes);
}

}  // namespace holdfast
