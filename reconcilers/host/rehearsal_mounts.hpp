#pragma once

#include <string>
#include <vector>

namespace holdfast {

/// A mount that was made read-only, and what it was like.
struct ReadOnly {
  std::string path{};
  unsigned long flags = 0;
};

/// Gives this process mounts of its own, with an overlay over each folder that exists: it may be written to, and nobody
/// else sees that. What is written is held in memory, below `scratch`, and gone with the process. A file system mounted
/// below a folder gets an overlay of its own where it is on the way to one of `paths`, which are to be written to, and
/// stays as it is elsewhere. Nothing but the overlays can be written to, until let_be_written. Throws Error where the
/// kernel refuses.
std::vector<ReadOnly> enter_overlays(const std::vector<std::string>& folders, const std::vector<std::string>& paths,
                                     const std::string& scratch);
void let_be_written(const std::vector<ReadOnly>& mounts);

}  // namespace holdfast
