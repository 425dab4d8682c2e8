#include <controller/approval/signing.hpp>

#include <controller/approval/own_folder.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/host/process.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace holdfast {

namespace {

constexpr std::chrono::seconds most_time{120};  // somebody may have to touch a key, or type a passphrase
constexpr std::size_t max_output_bytes = 256U << 10U;

/// Ways to the person's agents and nothing else of ours.
std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> environment{{"LC_ALL", "C"}, {"PATH", command_path}};
  for (const char* name : {"HOME", "SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY", "WAYLAND_DISPLAY", "GNUPGHOME", "GPG_TTY",
                           "TERM", "XDG_RUNTIME_DIR"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  return environment;
}

std::string run(std::vector<std::string> argv, const std::string& input, const std::string& hint) {
  Command command;
  command.argv = std::move(argv);
  command.environment = own_environment();
  command.input = input;
  command.deadline = most_time;
  command.output_bytes = max_output_bytes;
  const Output output = run_process(command, std::nullopt);
  if (!output.ok()) throw Error("can't sign: " + printable(describe_failure(command, output)) + ": " + hint);
  return output.out;
}

/// The first key of the agent that stands in the policy, as ssh-keygen takes it: a file with the public key.
std::string key_in_agent(const std::vector<Signatory>& approvers, const OwnFolder& folder) {
  std::string list = run({"ssh-add", "-L"}, "", "is an agent running, with your key in it?");
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find('\n', begin), list.size());
    const std::string line = list.substr(begin, end - begin);
    begin = end + 1;
    const std::string key = line.substr(0, line.find(' ', line.find(' ') + 1));
    const bool known = std::ranges::any_of(
        approvers, [&](const Signatory& one) { return std::ranges::find(one.ssh, key) != one.ssh.end(); });
    if (known) return folder.write("agent.pub", line + "\n");
  }
  throw Error("the SSH agent has none of the approvers' keys: add yours with ssh-add, or name its file with --key");
}

}  // namespace

std::string sign(const SigningKey& key, const std::vector<Signatory>& approvers, const std::string& payload) {
  if (!key.openpgp.empty()) {
    return run({"gpg", "--batch", "--quiet", "--armor", "--detach-sign", "--local-user", key.openpgp}, payload,
               "does gpg have this secret key, and its agent the passphrase?");
  }
  const OwnFolder folder;
  const std::string file = key.ssh == "agent" ? key_in_agent(approvers, folder) : key.ssh;
  return run({"ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", file}, payload,
             "a key with a passphrase is signed with through the agent: ssh-add it, and say --key agent");
}

}  // namespace holdfast
