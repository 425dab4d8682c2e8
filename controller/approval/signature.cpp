#include <controller/approval/signature.hpp>

#include <controller/approval/own_folder.hpp>
#include <controller/git/base64.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/host/process.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace holdfast {

namespace {

constexpr std::chrono::seconds most_time{10};
constexpr std::chrono::minutes openpgp_again{10};
constexpr std::size_t max_signature_bytes = 64U << 10U;
constexpr std::size_t max_output_bytes = 16U << 10U;
constexpr std::size_t max_known = 5'000;
constexpr std::string_view ssh_begins = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view openpgp_begins = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view key_begins = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

Output run(std::vector<std::string> argv, const std::string& home, const std::string& input) {
  Command command;
  command.argv = std::move(argv);
  command.environment = {{"HOME", home}, {"LC_ALL", "C"}, {"PATH", command_path}};
  command.input = input;
  command.deadline = most_time;
  command.output_bytes = max_output_bytes;
  return run_process(command, std::nullopt);
}

/// Why the program gave no answer; empty where it gave one.
std::string no_answer(const Output& output, const std::string& program, const std::string& package) {
  if (output.timed_out) return program + " did not end within 10 s";
  if (output.exit_code < 0)
    return program + " can't be run (the package " + package + " has it): " + printable(output.err);
  return "";
}

enum class Match { yes, no, unknown };

struct Tried {
  Match match = Match::no;
  std::string why{};
};

Tried try_ssh(const SignedBytes& bytes, const Signatory& signer, const OwnFolder& folder) {
  std::string allowed;
  for (const std::string& key : signer.ssh) allowed += "signer namespaces=\"git\" " + key + "\n";
  const std::string keys = folder.write("allowed", allowed);
  const std::string signature = folder.write("signature", bytes.signature);
  const Output output = run({"ssh-keygen", "-Y", "verify", "-f", keys, "-I", "signer", "-n", "git", "-s", signature},
                            folder.path(), bytes.payload);
  if (const std::string why = no_answer(output, "ssh-keygen", "openssh-client"); !why.empty())
    return {Match::unknown, why};
  return {output.exit_code == 0 ? Match::yes : Match::no};
}

/// gpgv counts a signature by an expired or revoked key as valid and only says so.
bool is_good(const std::string& status) {
  int good = 0;
  int valid = 0;
  int all = 0;
  std::string_view rest = status;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.starts_with("[GNUPG:] ")) continue;
    const std::string_view word = line.substr(9, line.find(' ', 9) - 9);
    good += word == "GOODSIG" ? 1 : 0;
    valid += word == "VALIDSIG" ? 1 : 0;
    all += word == "NEWSIG" ? 1 : 0;
    for (const std::string_view bad :
         {"BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "KEYEXPIRED", "KEYREVOKED", "SIGEXPIRED"}) {
      if (word == bad) return false;
    }
  }
  return good == 1 && valid == 1 && all == 1;
}

Tried try_openpgp(const SignedBytes& bytes, const Signatory& signer, const OwnFolder& folder) {
  std::string ring;
  for (const std::string& key : signer.openpgp) {
    try {
      ring += unarmored(key);
    } catch (const Error& error) {
      return {Match::no, "the key of \"" + signer.name + "\": " + error.what()};
    }
  }
  const std::string keys = folder.write("keys.gpg", ring);
  const std::string signature = folder.write("signature", bytes.signature);
  const std::string payload = folder.write("payload", bytes.payload);
  const Output output = run({"gpgv", "--homedir", folder.path(), "--keyring", keys, "--weak-digest", "SHA1",
                             "--status-fd", "1", signature, payload},
                            folder.path(), "");
  if (const std::string why = no_answer(output, "gpgv", "gpgv"); !why.empty()) return {Match::unknown, why};
  return {output.exit_code == 0 && is_good(output.out) ? Match::yes : Match::no};
}

}  // namespace

SignedBy find_signer(const SignedBytes& bytes, const std::vector<Signatory>& signers) {
  if (bytes.signature.empty()) return {.why = "it is not signed"};
  if (bytes.signature.size() > max_signature_bytes) return {.why = "its signature is larger than 64 KiB"};
  const bool ssh = bytes.signature.starts_with(ssh_begins);
  if (!ssh && !bytes.signature.starts_with(openpgp_begins))
    return {.why = "its signature is neither of SSH nor of OpenPGP"};
  SignedBy answer{.why = "its signature is by nobody who may, or of other bytes"};
  const OwnFolder folder;
  for (const Signatory& signer : signers) {
    if (ssh ? signer.ssh.empty() : signer.openpgp.empty()) continue;
    const Tried tried = ssh ? try_ssh(bytes, signer, folder) : try_openpgp(bytes, signer, folder);
    if (tried.match == Match::yes) return {.name = signer.name};
    if (!tried.why.empty()) answer.why = tried.why;
    if (tried.match == Match::unknown) answer.lasting = false;
  }
  return answer;
}

SignedBy SignatureCache::find(const SignedBytes& bytes, const std::vector<Signatory>& signers) {
  Sha256 key;
  const auto add = [&key](const std::string& text) { key.add(std::to_string(text.size()) + ":" + text); };
  add(bytes.payload);
  add(bytes.signature);
  for (const Signatory& signer : signers) {
    add(signer.name);
    for (const auto* keys : {&signer.ssh, &signer.openpgp}) {
      add(std::to_string(keys->size()));
      for (const std::string& one : *keys) add(one);
    }
  }
  const std::string digest = key.hex();
  const auto now = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find(digest);
    if (found != known_.end() && now < found->second.until) return found->second.by;
  }
  SignedBy answer = find_signer(bytes, signers);
  if (!answer.lasting) return answer;
  const bool may_expire = !answer.name.empty() && bytes.signature.starts_with(openpgp_begins);
  const std::scoped_lock lock(mutex_);
  if (known_.size() >= max_known) known_.clear();
  known_[digest] = {answer, may_expire ? now + openpgp_again : std::chrono::steady_clock::time_point::max()};
  return answer;
}

std::string unarmored(std::string_view armored) {
  const std::size_t begin = armored.find(key_begins);
  if (begin == std::string_view::npos) throw Error("no armored OpenPGP public key");
  std::string_view rest = armored.substr(begin + key_begins.size());
  std::string digits;
  bool in_body = false;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    if (std::exchange(first, false)) continue;  // the rest of the line that begins it
    if (!in_body) {
      in_body = line.empty();
      continue;
    }
    if (line.starts_with("-----") || line.starts_with('=')) break;
    digits += line;
  }
  const auto bytes = from_base64(digits);
  if (!bytes || bytes->empty()) throw Error("its OpenPGP key is no base64 after an empty line");
  return *bytes;
}

}  // namespace holdfast
