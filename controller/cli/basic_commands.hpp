#pragma once

#include <controller/git/mirror.hpp>
#include <manifests/fleet.hpp>

#include <iosfwd>
#include <string>

namespace holdfast {

/// `holdfast init FOLDER`: writes a first fleet that `validate` accepts, and says what to do next. Makes the folder
/// where it is missing; writes nothing at all where one of its files is there already. Returns the exit code.
int init_command(const std::string& folder, std::ostream& out);

/// `holdfast validate [FOLDER]`: everything that can be known about a fleet without a host, a configuration or a
/// network. All problems of the whole tree, sorted, once each, then one line that counts. 0 valid, 1 not.
int validate_command(const std::string& folder, bool json, std::ostream& out);

/// `holdfast validate --rev REVISION`: the same for a commit, branch or tag of a repository, fetched into a mirror that
/// is removed again. Throws Error where the repository or the revision can't be had.
int validate_revision_command(const Remote& repository, const LoadOptions& options, const std::string& revision,
                              bool json, std::ostream& out, const MirrorOptions& mirror_options = {});

/// `holdfast explain [TOPIC]`: what a kind, a record that commands print, or a field of one means; without a topic
/// those there are. As JSON: the schema itself.
int explain_command(const std::string& topic, bool json, std::ostream& out);

}  // namespace holdfast
