#pragma once

#include <string>

namespace holdfast {

/// A sign of this process for others that share its state folder: a file that stays locked until the process ends,
/// whatever kills it. So a deployment that nobody is at any more can be told from one that goes on beside us, also from
/// within another container, and when process ids are used again.
class LifeSign {
 public:
  /// Makes it in `folder` (made where it is missing) and removes those of the dead. Throws Error.
  explicit LifeSign(const std::string& folder);
  ~LifeSign();
  LifeSign(const LifeSign&) = delete;
  LifeSign& operator=(const LifeSign&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  std::string path_{};
  std::string id_{};
  int fd_ = -1;
};

/// Whether the process of that sign lives; false for what is no sign.
bool process_lives(const std::string& folder, const std::string& id);

/// Whether a process other than `own` has a sign there and lives.
bool another_lives(const std::string& folder, const std::string& own);

}  // namespace holdfast
