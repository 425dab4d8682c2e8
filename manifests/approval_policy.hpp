#pragma once

#include <manifests/schema.hpp>
#include <manifests/tree.hpp>
#include <manifests/value.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// A person who may sign, and with what.
struct Signatory {
  std::string name{};                  // how records call him; unique in its list
  std::vector<std::string> ssh{};      // public keys: type and base64, nothing behind them
  std::vector<std::string> openpgp{};  // armored public keys; paths until read_key_files() has read them
  std::vector<std::string> mails{};    // that his commits are made with
};

/// What a new desired state of an environment needs from people before it reaches a host.
struct ApprovalPolicy {
  bool required = false;
  bool unsigned_allowed = false;  // whoever can push a tag can approve
  std::vector<Signatory> approvers{};
  int count = 1;                  // different approvers that are needed
  bool not_author = false;        // of none of the commits that come with it
  std::int64_t valid_for_ms = 0;  // how long an approval counts; 0: for ever
};

/// Which commits may reach an environment.
struct SignedPolicy {
  bool required = false;
  std::vector<Signatory> signers{};  // empty: the approvers
  std::string since{};               // a commit: it and what came before it need no signature; empty: none
};

/// Reads `spec.approval` and `spec.signed`, which their schema has accepted, and finds what a schema can't say.
ApprovalPolicy read_approval_policy(const Value& spec, std::vector<Finding>& findings);
SignedPolicy read_signed_policy(const Value& spec, const ApprovalPolicy& approval, std::vector<Finding>& findings);

/// Whose signatures of commits are accepted.
const std::vector<Signatory>& commit_signers(const ApprovalPolicy& approval, const SignedPolicy& commits);

/// Puts the contents of key files of the root branch in the place of their paths.
void read_key_files(const Tree& tree, ApprovalPolicy& approval, SignedPolicy& commits, std::vector<Finding>& findings);

}  // namespace holdfast
