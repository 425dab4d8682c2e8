#pragma once

#include <string>
#include <vector>

namespace holdfast {

/// Gives this process mounts of its own, with an overlay over each folder that exists: it may be written to, and nobody
/// else sees that. What is written is held in memory, below `scratch`, and gone with the process. File systems mounted
/// below a folder stay where they are. Throws Error where the kernel refuses.
void enter_overlays(const std::vector<std::string>& folders, const std::string& scratch);

}  // namespace holdfast
