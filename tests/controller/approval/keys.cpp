#include "keys.hpp"

#include <reconcilers/host/process.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace holdfast {

namespace {

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string run_tool(const std::vector<std::string>& argv, const std::string& home, const std::string& input) {
  Command command;
  command.argv = argv;
  command.environment = {{"HOME", home}};
  command.input = input;
  const Output output = run_process(command, std::nullopt);
  if (!output.ok()) throw std::runtime_error(argv[0] + ": " + output.err);
  return output.out;
}

SshKey::SshKey(const std::string& type) {
  (void)run_tool({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "somebody", "-f", path()}, folder_.path());
}

Signatory SshKey::signer(const std::string& name) const {
  std::string key = content(path() + ".pub");
  key = key.substr(0, key.find(' ', key.find(' ') + 1));
  return {.name = name, .ssh = {key}};
}

std::string SshKey::sign(const std::string& payload, const std::string& name_space) const {
  return run_tool({"ssh-keygen", "-q", "-Y", "sign", "-n", name_space, "-f", path()}, folder_.path(), payload);
}

OpenPgpKey::OpenPgpKey(const std::string& mail, const std::string& expires) : mail_(mail) {
  (void)run_tool({"gpg", "--homedir", home(), "--batch", "--quiet", "--passphrase", "", "--faked-system-time",
                  "20200101T000000!", "--quick-gen-key", mail, "ed25519", "sign", expires},
                 home());
}

OpenPgpKey::~OpenPgpKey() {
  try {
    (void)run_tool({"gpgconf", "--homedir", home(), "--kill", "gpg-agent"}, home());
  } catch (const std::exception&) {
    return;  // it ends with its folder
  }
}

Signatory OpenPgpKey::signer(const std::string& name) const {
  return {.name = name, .openpgp = {run_tool({"gpg", "--homedir", home(), "--armor", "--export", mail_}, home())}};
}

std::string OpenPgpKey::sign(const std::string& payload, const std::vector<std::string>& options) const {
  std::vector<std::string> argv = {"gpg",     "--homedir",     home(),         "--batch", "--quiet",
                                   "--armor", "--detach-sign", "--local-user", mail_};
  argv.insert(argv.end(), options.begin(), options.end());
  return run_tool(argv, home(), payload);
}

}  // namespace holdfast
