#pragma once

#include <manifests/value.hpp>
#include <reconcilers/host/frame.hpp>
#include <reconcilers/primitive.hpp>

#include <sys/types.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// The real holdfast-host, `serve`, on a root of its own.
class Runner {
 public:
  explicit Runner(const std::string& root);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  [[nodiscard]] const Value& hello() const { return hello_; }
  /// The reply; throws Error with the text of an error, and where the runner ended.
  Value ask(const Map& request);
  void send_blob(const std::string& bytes);
  void send_raw(const std::string& bytes);
  /// What it says unasked within so long; nullopt for nothing.
  std::optional<Value> changed(int ms);
  /// Closes its input and gives its exit code.
  int end();

  std::vector<Value> events{};                 // of all requests so far
  std::map<std::string, std::string> blobs{};  // received
  std::function<void(const Value& event)> on_event{};

 private:
  Value receive();

  pid_t child_ = -1;
  int input_ = -1;
  int output_ = -1;
  FrameReader reader_;
  std::deque<Value> changes_{};
  Value hello_{};
};

/// Runs holdfast-host with these arguments and gives its exit code.
int run_host(const std::vector<std::string>& arguments);

/// A root with a runner, and the words to say what it should be.
struct Host {
  explicit Host(const std::string& root);

  Host& directory(const std::string& path, int mode = 0755);
  Host& file(const std::string& path, const std::string& bytes, int mode = 0644, const Map& parameters = {});
  Host& link(const std::string& path, const std::string& target);
  Host& tree(const std::string& path, const std::map<std::string, std::string>& files,
             const std::vector<std::string>& build = {});
  Host& absent(const std::string& id);

  /// Plans, sends what is missing, applies. Gives the reply of apply; the id is in `transaction`.
  Value apply(Runner& runner, std::int64_t epoch = 1, std::int64_t deadman_ms = 60'000);
  Value plan(Runner& runner) const;
  /// apply and confirm; fails the test where that does not work.
  void converge(Runner& runner);
  Value confirm(Runner& runner, std::int64_t epoch = 1) const;
  Value rollback(Runner& runner, std::int64_t epoch = 1) const;

  std::string root{};
  Bundle bundle{};
  std::map<std::string, std::string> contents{};  // by digest
  std::string transaction{};

 private:
  Wanted& add(const std::string& id, Attributes attributes);
  std::vector<PrimitiveId> below(const std::string& path) const;
};

/// Every path below `root` but the runner's own state, with type, mode and content.
std::map<std::string, std::string> picture(const std::string& root);

}  // namespace holdfast
