#pragma once

#include <string>

namespace holdfast {

/// One writer of a mirror at a time, also between processes: a lock file beside the folder, so that the folder itself
/// can be moved aside. Waits as long as it takes: a fetch child that waits here ends at its own deadline.
class MirrorLock {
 public:
  explicit MirrorLock(const std::string& folder);
  ~MirrorLock();
  MirrorLock(const MirrorLock&) = delete;
  MirrorLock& operator=(const MirrorLock&) = delete;

 private:
  int file_;
};

}  // namespace holdfast
