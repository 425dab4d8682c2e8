#include "notify_scene.hpp"

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace holdfast::test {

NotifyScene::NotifyScene() {
  std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-notify-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw Error("no folder");
  folder_ = pattern;
  store = Store::open(state_file());
  queue = NotifyQueue::open(state_file());
  clock = {.wall_ms = [now = now_ms_] { return *now; },
           .monotonic_ms = [now = now_ms_] { return *now; },
           .sleep_ms = [](std::int64_t) {},
           .random_hex =
               [counter = std::make_shared<unsigned>(0)] {
                 char text[9];
                 std::snprintf(text, sizeof text, "%08x", ++*counter);
                 return std::string(text);
               }};
}

NotifyScene::~NotifyScene() {
  queue.reset();
  store.reset();
  std::filesystem::remove_all(folder_);
}

std::string NotifyScene::file(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ + "/" + name) << text;
  return folder_ + "/" + name;
}

SinkSettings NotifyScene::sink(const std::string& name, std::vector<std::string> events) {
  return {.name = name, .type = "webhook", .to = Map{}, .events = std::move(events)};
}

SinkSettings NotifyScene::webhook(const std::string& name, const std::string& url) const {
  return {.name = name,
          .type = "webhook",
          .to = Map{{"urlFile", file(name + "-url", url + "\n")},
                    {"secretFile", file(name + "-secret", "0123456789abcdef0123456789abcdef\n")}}};
}

std::int64_t NotifyScene::deploy(const std::string& host, const std::string& of, Outcome outcome,
                                 const std::string& reason) {
  const std::int64_t id = store->begin_deployment({.environment = "production",
                                                   .host = host,
                                                   .transaction = "t",
                                                   .commit = of,
                                                   .subject = "Greet politely",
                                                   .author = "A Tester",
                                                   .begun_ms = now()});
  pass(2'000);
  store->end_deployment(id, outcome, reason, now());
  if (outcome == Outcome::deployed) put_host(host, "converged", of);
  if (outcome == Outcome::rolled_back) hold(host, of);
  return id;
}

void NotifyScene::hold(const std::string& host, const std::string& of) {
  store->put_hold({.environment = "production", .host = host, .bundle = of, .commit = of, .since_ms = now()});
}

void NotifyScene::put_host(const std::string& host, const std::string& state, const std::string& live) {
  store->put_host({.environment = "production",
                   .host = host,
                   .state = state,
                   .detail = "why",
                   .live_commit = live,
                   .changed_ms = now()});
}

void NotifyScene::put_rollout(const std::string& of, const std::vector<std::string>& hosts) {
  store->put_rollout("production", {of, "Greet politely", "A Tester"}, to_json(Value::texts(hosts)), now());
}

std::vector<Notification> NotifyScene::look(const std::vector<SinkSettings>& sinks) {
  Newsroom(sinks, *store, *queue, clock).look();
  std::vector<Notification> notes;
  for (const SinkSettings& one : sinks) {
    while (const auto delivery = queue->next(one.name)) {
      notes.push_back(delivery->note);
      queue->delivered(*delivery, now());
    }
  }
  return notes;
}

std::vector<Notification> NotifyScene::news() { return look({sink("team")}); }

OnProgress NotifyScene::on_progress() {
  return [this](const Progress& progress) {
    const std::scoped_lock lock(mutex_);
    said_ += progress.text + "\n";
  };
}

std::string NotifyScene::said() const {
  const std::scoped_lock lock(mutex_);
  return said_;
}

std::string commit(char digit) { return std::string(40, digit); }

std::vector<std::string> titles(const std::vector<Notification>& notes) {
  std::vector<std::string> list;
  for (const Notification& note : notes) list.push_back(title_of(note));
  return list;
}

}  // namespace holdfast::test
