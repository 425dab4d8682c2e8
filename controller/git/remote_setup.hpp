#pragma once

#include <controller/git/fetch_request.hpp>
#include <controller/git/libgit.hpp>
#include <controller/git/remote_guard.hpp>
#include <controller/git/url.hpp>

#include <string>

namespace holdfast {

/// The home folder that the child was started with; prepare_contact() changes it.
std::string own_home();

/// Where to go. Throws Error for a URL that is refused, and for a repository in this file system that is a stranger's.
RemoteUrl url_of(const FetchRequest& request);

/// Starts the library, and leads it to the host keys and authorities that are good for this remote. For a child of its
/// own only: it changes the process.
void prepare_contact(const FetchRequest& request, const RemoteUrl& url, const RemoteGuard& guard);

/// A remote without configuration of its own.
GitRemote remote_of(git_repository* repository, const std::string& url);

}  // namespace holdfast
