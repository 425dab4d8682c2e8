#pragma once

#include <reconcilers/host/system.hpp>

#include <string>

namespace holdfast {

/// Everything extended that can be given back: access control lists, capabilities, labels, the user's own. Throws Error
/// where it is more than is kept for one path.
ExtendedAttributes read_extended(int fd, const std::string& path);
void write_extended(int fd, const ExtendedAttributes& attributes, const std::string& path);
/// What a new version of a file takes over from the old one: all but capabilities, which were given to the old content.
void keep_extended(int old_file, int new_file);

}  // namespace holdfast
