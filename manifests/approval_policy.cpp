#include <manifests/approval_policy.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <manifests/host_rules.hpp>
#include <manifests/wording.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t max_key_bytes = 256U << 10U;
constexpr std::string_view armor_begins = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view armor_ends = "-----END PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view approvers_place = "/spec/approval/approvers";
constexpr std::string_view signers_place = "/spec/signed/signers";

bool is_armored(std::string_view text) {
  const std::size_t begin = text.find(armor_begins);
  return begin != std::string_view::npos && text.find(armor_ends, begin) != std::string_view::npos;
}

/// Also the kinds that only a person's hardware key has; never a certificate, which would let its authority in.
bool is_signing_key(const std::string& text) {
  static constexpr std::array<std::string_view, 2> hardware = {"sk-ssh-ed25519@openssh.com ",
                                                               "sk-ecdsa-sha2-nistp256@openssh.com "};
  for (const std::string_view type : hardware) {
    if (text.starts_with(type)) return is_host_key("ssh-ed25519 " + text.substr(type.size()));
  }
  return is_host_key(text);
}

/// Type and base64: a comment could hold options for the file that a key is written into.
std::string without_comment(const std::string& key) {
  const std::size_t space = key.find(' ');
  return key.substr(0, key.find(' ', space + 1));
}

std::vector<std::string> texts_of(const Value& holder, const char* key) {
  const Value* found = holder.find(key);
  if (found == nullptr) return {};
  return found->is_text() ? std::vector<std::string>{found->as_text()} : found->as_texts();
}

class SignerReader {
 public:
  SignerReader(std::string place, std::vector<Finding>& findings) : place_(std::move(place)), findings_(findings) {}

  std::vector<Signatory> read(const Value* list) {
    std::vector<Signatory> signers;
    if (list == nullptr) return signers;
    for (std::size_t i = 0; i < list->as_list().size(); ++i) {
      signers.push_back(read_one(list->as_list()[i], place_ + "/" + std::to_string(i)));
    }
    return signers;
  }

 private:
  Signatory read_one(const Value& value, const std::string& at) {
    Signatory signer{.name = value.at("name").as_text(), .mails = texts_of(value, "mail")};
    if (!names_.insert(signer.name).second)
      add(at + "/name", "\"" + signer.name + "\" is there twice", "put all keys into one entry");
    for (const std::string& key : texts_of(value, "ssh")) {
      if (is_signing_key(key)) {
        signer.ssh.push_back(without_comment(key));
        tell_shared(signer.ssh.back(), signer.name, at + "/ssh");
      } else {
        add(at + "/ssh", "a key must be a public key such as \"ssh-ed25519 AAAA…\", not " + scalar_words(key),
            "the line of the .pub file");
      }
    }
    for (const std::string& key : texts_of(value, "openpgp")) {
      if (is_armored(key) || is_relative_path(key)) {
        signer.openpgp.push_back(key);
      } else {
        add(at + "/openpgp", "an OpenPGP key must be an armored public key, or the path of one in the repository",
            "gpg --armor --export MAIL writes one");
      }
    }
    if (value.find("ssh") == nullptr && value.find("openpgp") == nullptr) {
      add(at, "\"" + signer.name + "\" has no key", "add ssh: or openpgp:");
    }
    return signer;
  }

  /// Two names with one key would let one person be two.
  void tell_shared(const std::string& key, const std::string& name, const std::string& at) {
    const auto [first, is_new] = keys_.emplace(key, name);
    if (!is_new && first->second != name)
      add(at, "the key of \"" + name + "\" is also that of \"" + first->second + "\"", "each needs a key of their own");
  }

  void add(const std::string& pointer, std::string what, std::string hint) {
    findings_.push_back({pointer, std::move(what), std::move(hint), Finding::Place::value, ""});
  }

  std::string place_;
  std::vector<Finding>& findings_;
  std::set<std::string> names_{};
  std::map<std::string, std::string> keys_{};
};

void read_files(const Tree& tree, std::vector<Signatory>& signers, std::string_view place,
                std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < signers.size(); ++i) {
    const std::string at = std::string(place) + "/" + std::to_string(i) + "/openpgp";
    const auto add = [&](std::string what, std::string hint) {
      findings.push_back({at, std::move(what), std::move(hint), Finding::Place::value, ""});
    };
    for (std::string& key : signers[i].openpgp) {
      if (is_armored(key)) continue;
      try {
        const auto text = tree.read(key, max_key_bytes);
        if (!text) {
          add("there is no file \"" + key + "\" beside the environment",
              "a path is relative to the top of the repository");
        } else if (!is_armored(*text)) {
          add("\"" + key + "\" holds no armored public key", "gpg --armor --export MAIL writes one");
        } else {
          key = *text;
        }
      } catch (const Error& error) {
        add(error.what(), "export one key only");
      }
    }
  }
}

}  // namespace

ApprovalPolicy read_approval_policy(const Value& spec, std::vector<Finding>& findings) {
  ApprovalPolicy policy;
  const Value* approval = spec.find("approval");
  if (approval == nullptr) return policy;
  const auto add = [&findings](const std::string& pointer, std::string what, std::string hint) {
    findings.push_back({pointer, std::move(what), std::move(hint), Finding::Place::value, ""});
  };
  policy.required = approval->is_text() || approval->bool_or("required", true);
  if (approval->is_map()) {
    policy.unsigned_allowed = approval->text_or("unsigned", "refuse") == "allowed";
    policy.approvers = SignerReader(std::string(approvers_place), findings).read(approval->find("approvers"));
    policy.count = static_cast<int>(approval->int_or("count", 1));
    policy.not_author = approval->bool_or("notAuthor", false);
    if (const Value* valid = approval->find("validFor")) policy.valid_for_ms = duration_ms(valid->as_text());
  }
  if (!policy.required) return policy;
  if (policy.approvers.empty() && !policy.unsigned_allowed) {
    add("/spec/approval", "approval is required, but nobody can give it: there are no \"approvers\"",
        "name them with their keys, or say unsigned: allowed, with which whoever can push a tag approves");
  }
  if (policy.unsigned_allowed && !policy.approvers.empty()) {
    add("/spec/approval/unsigned", "\"unsigned\" has no meaning beside \"approvers\"", "take one of them away");
  }
  const auto people = static_cast<int>(policy.approvers.size());
  if (!policy.unsigned_allowed && people != 0 && policy.count > people) {
    add("/spec/approval/count",
        "so many approvals can't be given: " + std::to_string(policy.count) + " of " + std::to_string(people) +
            (people == 1 ? " approver" : " approvers"),
        "name more approvers, or ask for fewer");
  }
  return policy;
}

const std::vector<Signatory>& commit_signers(const ApprovalPolicy& approval, const SignedPolicy& commits) {
  return commits.signers.empty() ? approval.approvers : commits.signers;
}

SignedPolicy read_signed_policy(const Value& spec, const ApprovalPolicy& approval, std::vector<Finding>& findings) {
  SignedPolicy policy;
  const Value* commits = spec.find("signed");
  if (commits == nullptr) return policy;
  policy.required = true;
  if (commits->is_map()) {
    policy.signers = SignerReader(std::string(signers_place), findings).read(commits->find("signers"));
    policy.since = commits->text_or("since", "");
    if (!policy.since.empty() && !is_object_id(policy.since)) {
      findings.push_back({"/spec/signed/since",
                          "\"since\" must be the full id of a commit, not \"" + policy.since + "\"",
                          "git rev-parse COMMIT tells it", Finding::Place::value, ""});
    }
  }
  if (commit_signers(approval, policy).empty()) {
    findings.push_back({"/spec/signed",
                        "commits must be signed, but nobody's signature is accepted: there are no \"signers\"",
                        "name them with their keys", Finding::Place::value, ""});
  }
  return policy;
}

void read_key_files(const Tree& tree, ApprovalPolicy& approval, SignedPolicy& commits, std::vector<Finding>& findings) {
  read_files(tree, approval.approvers, approvers_place, findings);
  read_files(tree, commits.signers, signers_place, findings);
}

}  // namespace holdfast
