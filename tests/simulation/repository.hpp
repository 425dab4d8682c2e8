#pragma once

#include <controller/git/mirror.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast::simulation {

/// What one commit wants of every host. `mode` is what the service does with it (see Init).
struct Wanted {
  std::string mode = "good";
  bool extra = false;       // one file more
  std::string migration{};  // argument of a command that runs when it changes; empty: no such command
  std::size_t version = 0;  // told in the configuration; 0: the commit's own number
  /// Healthy at first; whether it goes bad while somebody watches is another matter.
  [[nodiscard]] bool fades() const { return mode == "fades" && migration != "fail"; }
  [[nodiscard]] bool is_bad() const { return (mode != "good" && mode != "fades") || migration == "fail"; }
};

/// A branch with commits, the newest last: each is a whole set of manifests.
class Repository {
 public:
  void push(const Wanted& wanted);
  [[nodiscard]] std::size_t size() const { return commits_.size(); }
  [[nodiscard]] std::string id(std::size_t number) const;
  /// Which one that is; size() where there is none.
  [[nodiscard]] std::size_t number(const std::string& id) const;
  [[nodiscard]] const Wanted& wanted(std::size_t number) const { return commits_.at(number); }
  [[nodiscard]] std::string manifests(std::size_t number) const;
  /// Path -> content of the files that the commit manages on every host, but for the one with a secret.
  [[nodiscard]] std::map<std::string, std::string> files(std::size_t number) const;

 private:
  std::vector<Wanted> commits_;
};

inline constexpr const char* configuration_path = "/etc/app.conf";
inline constexpr const char* secret_path = "/etc/app.env";
inline constexpr const char* extra_path = "/etc/app-extra.conf";
inline constexpr const char* unit_path = "/etc/systemd/system/app.service";

/// The repository as a controller sees it. `head` is the number of the newest commit that it has fetched.
std::unique_ptr<Mirror> mirror_of(const Repository& repository, std::function<std::size_t()> head);

}  // namespace holdfast::simulation
