#pragma once

#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// The host runner as it lies on this machine: what is put on hosts that lack it.
struct RunnerProgram {
  std::string path{};
  std::string digest{};   // SHA-256 of the file, the name of its folder on every host
  std::string machine{};  // as `uname -m` says it: "x86_64", "aarch64"; empty for a type that we do not know
};

/// Reads the program once; later calls for the same unchanged file cost one stat. Threads may call it at once. Throws
/// Error where there is no such program.
std::shared_ptr<const RunnerProgram> runner_program(const std::string& path);

/// The bytes of the program; throws Error where the file is no longer the one of that digest.
std::string runner_bytes(const RunnerProgram& program);

/// What a host prints (a line) right before it becomes the runner, and where it lacks it.
inline constexpr const char* runner_begins = "holdfast-runner-begins\n";
inline constexpr const char* runner_missing = "holdfast-runner-missing ";
inline constexpr int runner_missing_exit = 97;
inline constexpr int runner_damaged_exit = 98;

/// The command line for the login's shell, whichever shell that is: verifies the program by its digest and becomes it.
/// The digest and the arguments are its only variables; throws Error for an argument that needs more than plain quotes.
std::string start_command(const std::string& digest, const std::vector<std::string>& arguments, bool sudo);
/// The same for a session on which the program was verified and began once already: it is not verified again.
std::string start_again_command(const std::string& digest, const std::vector<std::string>& arguments, bool sudo);
/// Puts the program that comes on standard input in place, whole or not at all.
std::string upload_command(const std::string& digest, bool sudo);

}  // namespace holdfast
