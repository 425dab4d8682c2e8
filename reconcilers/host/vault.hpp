#pragma once

#include <manifests/digest.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/state.hpp>
#include <reconcilers/primitives/primitive_kind.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace holdfast {

/// Bytes by their SHA-256 in the runner's state folder, 0600: what a controller sent, and what is saved for an undo.
class HostVault : public Vault {
 public:
  explicit HostVault(const State& state) : state_(state) {}

  [[nodiscard]] std::string path_of(const std::string& digest) const override;
  [[nodiscard]] bool has(const std::string& digest) const override;

  /// Saves the content of a managed file, on the disk when it returns. Throws Error where its digest is another by now.
  void save(System& system, const std::string& path, const std::string& digest) const;
  /// Removes everything but these.
  void keep_only(const std::set<std::string>& digests) const;

 private:
  const State& state_;
};

/// A blob on its way in: written beside the vault, put into it only when its digest is right.
class IncomingBlob {
 public:
  /// Throws Error for a text that is no digest.
  IncomingBlob(const State& state, const std::string& digest);
  ~IncomingBlob();
  IncomingBlob(const IncomingBlob&) = delete;
  IncomingBlob& operator=(const IncomingBlob&) = delete;

  [[nodiscard]] const std::string& digest() const { return digest_; }
  /// Throws Error where the blob gets too large.
  void add(std::string_view bytes);
  /// Throws Error where the bytes do not have that digest.
  void finish();

 private:
  const State& state_;
  std::string digest_;
  std::string path_;
  Fd fd_;
  Sha256 sum_;
  std::uint64_t size_ = 0;
};

}  // namespace holdfast
