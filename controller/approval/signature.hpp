#pragma once

#include <controller/git/mirror.hpp>
#include <manifests/approval_policy.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// Whose key made a signature.
struct SignedBy {
  std::string name{};   // empty: none of those who may
  std::string why{};    // where it is none of them, or that could not be found out
  bool lasting = true;  // false: asking again may give another answer (a program is missing, or took too long)
};

/// Tries the keys of each signer: SSH signatures of the namespace "git" by ssh-keygen, OpenPGP ones by gpgv, each over
/// files of our own in a folder that nobody else reads, within ten seconds. Expired and revoked keys count for nothing.
SignedBy find_signer(const SignedBytes& bytes, const std::vector<Signatory>& signers);

/// The same, remembered: a signature is judged once for one list of keys, by OpenPGP again after ten minutes. Any
/// thread may ask.
class SignatureCache {
 public:
  SignedBy find(const SignedBytes& bytes, const std::vector<Signatory>& signers);

 private:
  struct Known {
    SignedBy by{};
    std::chrono::steady_clock::time_point until{};  // OpenPGP keys expire
  };
  std::mutex mutex_;
  std::map<std::string, Known> known_;
};

/// The bytes of an armored OpenPGP public key; throws Error where it is none.
std::string unarmored(std::string_view armored);

}  // namespace holdfast
