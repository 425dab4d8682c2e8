#include <controller/ssh/runner_program.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <tuple>

namespace holdfast {

namespace {

constexpr std::size_t max_program_bytes = 256U << 20U;
constexpr std::size_t machine_offset = 18;  // e_machine of an ELF header

// Without quotes, backslashes, exclamation marks and line ends, so that sh, csh and fish all read '…' alike.
// A program that was found right since the machine started is not read again while its inode, size and time of change
// (which only the kernel sets) are what they were then.
constexpr const char* start_script =
    "p=/var/lib/holdfast/bin/$0/holdfast-host; v=/run/holdfast-runner-$0; "
    "s=$(stat -c \"%d %i %s %z\" $p 2>/dev/null); t=none; "
    "test -f $v && test -O $v && read -r t <$v; "
    "if test -n \"$s\" && test \"$s\" = \"$t\"; then :; "
    "elif echo \"$0  $p\" | sha256sum -c >/dev/null 2>&1; then { echo \"$s\" >$v; } 2>/dev/null; "
    "else echo holdfast-runner-missing $(uname -m); exit 97; fi; "
    "echo holdfast-runner-begins; exec $p \"$@\"";
constexpr const char* upload_script =
    "umask 077; d=/var/lib/holdfast/bin/$0; t=$d/.new.$$; "
    "mkdir -p $d && cat > $t || { rm -f $t; exit 1; }; "
    "if echo \"$0  $t\" | sha256sum -c >/dev/null 2>&1; then :; else rm -f $t; exit 98; fi; "
    "chmod 0700 $t && sync $t && mv -T -f $t $d/holdfast-host && sync $d";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file || bytes.view().empty()) throw Error("cannot read the host runner \"" + path + "\"");
  if (bytes.view().size() > max_program_bytes) throw Error("the host runner \"" + path + "\" is too large");
  return std::move(bytes).str();
}

std::string machine_of(const std::string& program) {
  if (program.size() < machine_offset + 2 || program.compare(0, 4,
                                                             "\x7f"
                                                             "ELF") != 0)
    return "";
  const auto low = static_cast<unsigned char>(program[machine_offset]);
  switch (low) {
    case 62:
      return "x86_64";
    case 183:
      return "aarch64";
    case 243:
      return "riscv64";
    default:
      return "";
  }
}

std::string quoted(const std::string& argument) {
  const bool plain = std::all_of(argument.begin(), argument.end(),
                                 [](char c) { return c >= ' ' && c <= '~' && c != '\'' && c != '\\' && c != '!'; });
  if (!plain)
    throw Error("expected an argument for the host runner without quotes and control characters, found \"" + argument +
                "\"");
  return "'" + argument + "'";
}

std::string command(const char* script, const std::string& digest, bool sudo) {
  if (!is_sha256(digest)) throw Error("expected a digest of the host runner, found \"" + digest + "\"");
  return std::string("exec ") + (sudo ? "sudo -n " : "") + "sh -c '" + script + "' " + digest;
}

using Key = std::tuple<std::string, ino_t, off_t, time_t, long>;

}  // namespace

std::shared_ptr<const RunnerProgram> runner_program(const std::string& path) {
  static std::mutex mutex;
  static std::map<Key, std::shared_ptr<const RunnerProgram>> known;
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    throw Error("cannot read the host runner \"" + path + "\": " + std::strerror(errno));
  }
  const Key key{path, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
  const std::lock_guard lock(mutex);
  std::shared_ptr<const RunnerProgram>& slot = known[key];
  if (!slot) {
    const std::string bytes = read_file(path);
    slot = std::make_shared<RunnerProgram>(
        RunnerProgram{.path = path, .digest = sha256(bytes), .machine = machine_of(bytes)});
  }
  return slot;
}

std::string runner_bytes(const RunnerProgram& program) {
  std::string bytes = read_file(program.path);
  if (sha256(bytes) != program.digest)
    throw Error("the host runner \"" + program.path + "\" was replaced meanwhile: try again");
  return bytes;
}

std::string start_command(const std::string& digest, const std::vector<std::string>& arguments, bool sudo) {
  std::string text = command(start_script, digest, sudo);
  for (const std::string& argument : arguments) text += " " + quoted(argument);
  return text;
}

std::string start_again_command(const std::string& digest, const std::vector<std::string>& arguments, bool sudo) {
  if (!is_sha256(digest)) throw Error("expected a digest of the host runner, found \"" + digest + "\"");
  std::string text =
      std::string("exec ") + (sudo ? "sudo -n " : "") + "/var/lib/holdfast/bin/" + digest + "/holdfast-host --announce";
  for (const std::string& argument : arguments) text += " " + quoted(argument);
  return text;
}

std::string upload_command(const std::string& digest, bool sudo) { return command(upload_script, digest, sudo); }

}  // namespace holdfast
