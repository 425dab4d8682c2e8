#pragma once

#include <controller/approval/own_folder.hpp>
#include <controller/approval/signature.hpp>

#include <string>

namespace holdfast {

/// Runs a program that a test needs; throws std::runtime_error with its words where it fails.
std::string run_tool(const std::vector<std::string>& argv, const std::string& home, const std::string& input = "");

/// A person's key pair in a folder of its own, and what git would have it sign.
class SshKey {
 public:
  explicit SshKey(const std::string& type = "ed25519");
  [[nodiscard]] Signatory signer(const std::string& name) const;
  [[nodiscard]] std::string sign(const std::string& payload, const std::string& name_space = "git") const;
  [[nodiscard]] std::string path() const { return folder_.path() + "/key"; }

 private:
  OwnFolder folder_;
};

class OpenPgpKey {
 public:
  explicit OpenPgpKey(const std::string& mail, const std::string& expires = "0");
  ~OpenPgpKey();
  OpenPgpKey(const OpenPgpKey&) = delete;
  OpenPgpKey& operator=(const OpenPgpKey&) = delete;
  [[nodiscard]] Signatory signer(const std::string& name) const;
  [[nodiscard]] std::string sign(const std::string& payload, const std::vector<std::string>& options = {}) const;
  [[nodiscard]] const std::string& home() const { return folder_.path(); }
  [[nodiscard]] const std::string& mail() const { return mail_; }

 private:
  OwnFolder folder_;
  std::string mail_;
};

}  // namespace holdfast
