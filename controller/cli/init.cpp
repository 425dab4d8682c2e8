#include <controller/cli/basic_commands.hpp>

#include <controller/cli/starter.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& why) {
  throw Error("\"" + printable(path.string()) + "\" can't be written: " + why);
}

/// Never over a file that is there, also not through a link.
void write_new(const fs::path& path, const std::string& bytes) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) fail(path, error.message());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) fail(path, std::strerror(errno));
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t count = ::write(file, rest.data(), rest.size());
    if (count < 0) {
      const int cause = errno;
      ::close(file);
      fail(path, std::strerror(cause));
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::close(file) != 0) fail(path, std::strerror(errno));
}

}  // namespace

int init_command(const std::string& folder, std::ostream& out) {
  std::error_code error;
  const fs::path root = fs::absolute(folder, error).lexically_normal();
  if (folder.empty() || error)
    throw Error("expected a folder to write the fleet to, found \"" + printable(folder) + "\"");
  const fs::path repository = root.has_filename() ? root : root.parent_path();
  const auto files = starter_files(repository.string());
  for (const auto& [path, bytes] : files) {
    if (fs::exists(fs::symlink_status(root / path, error))) {
      throw Error("\"" + printable((root / path).string()) +
                  "\" is there already: nothing was written; name a new folder");
    }
  }
  for (const auto& [path, bytes] : files) {
    write_new(root / path, bytes);
    out << "wrote " << printable((fs::path(folder) / path).lexically_normal().string()) << "\n";
  }
  const std::string shown = printable(folder);
  out << "\nNext:\n"
         "  1. put your hosts into "
      << shown
      << "/deploy/environments.yaml\n"
         "  2. holdfast validate "
      << shown
      << "\n"
         "  3. cd "
      << shown
      << " && git init -b main && git add . && git commit -m 'Begin the fleet' && git branch production\n"
         "  4. holdfast plan staging, then holdfast apply staging\n"
         "  5. holdfast run: from now on a merge is a deployment\n";
  return 0;
}

}  // namespace holdfast
